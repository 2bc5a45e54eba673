-- One failure is tolerated.
-- SPDX-License-Identifier: MIT
local batch = require "batch"
return batch.summary({ "completionReason", "status", "successCount", "failureCount", "totalCount" },
  pcall(parallel, "tolerated", {
    function() return "ok" end,
    function() error("no") end,
    function() return "ok" end,
  }, { limit = 1, tolerate = 1 }))
