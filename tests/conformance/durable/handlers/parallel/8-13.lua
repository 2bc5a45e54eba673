-- A quarter may fail; the second failure of four stops it.
-- SPDX-License-Identifier: MIT
local batch = require "batch"
local function bad() error("no") end
local function good() return "ok" end
return batch.summary({ "completionReason", "successCount", "failureCount", "totalCount" },
  pcall(parallel, "tolerated-pct", { bad, bad, good, good }, { limit = 1, tolerate = "25%" }))
