-- One failure is tolerated, the second stops it.
-- SPDX-License-Identifier: MIT
local batch = require "batch"
return batch.summary({ "completionReason", "successCount", "failureCount", "totalCount" },
  pcall(map, "tolerated-exceeded", { 0, 1, 2 }, { limit = 1, tolerate = 1 }, function(item)
    if item < 2 then error("bad item") end
    return "ok"
  end))
