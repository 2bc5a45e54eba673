-- Two branches, a step each.
-- SPDX-License-Identifier: MIT
return (parallel("parallel", {
  function() return step("one", function() return "task-1" end) end,
  function() return step("two", function() return "task-2" end) end,
}, { limit = 1 }))
