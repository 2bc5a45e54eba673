-- All must succeed and one does not; the others run all the same.
-- SPDX-License-Identifier: MIT
local batch = require "batch"
return batch.summary({ "completionReason", "status", "successCount", "failureCount", "totalCount" },
  pcall(parallel, "min-not-reached", {
    function() return "ok" end,
    function() error("no") end,
    function() return "ok" end,
  }, { limit = 1, need = 3, fail = "collect" }))
