-- Branches with names, in the order of the names.
-- SPDX-License-Identifier: MIT
local results = parallel("named", {
  first = function() return "one" end,
  second = function() return "two" end,
}, { limit = 1 })
return { results.first, results.second }
