-- The first failure stops it.
-- SPDX-License-Identifier: MIT
local batch = require "batch"
return batch.summary({ "completionReason", "status", "successCount", "failureCount", "totalCount" },
  pcall(map, "failfast", { 0, 1, 2 }, { limit = 1, tolerate = 0 }, function(item)
    if item == 1 then error("bad item") end
    return "ok"
  end))
