-- Two are enough.
-- SPDX-License-Identifier: MIT
local batch = require "batch"
return batch.summary({ "completionReason", "successCount", "totalCount" },
  pcall(map, "min-successful", { 0, 1, 2, 3 }, { limit = 1, need = 2 }, function() return "ok" end))
