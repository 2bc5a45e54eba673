-- The second step takes what the first gave.
-- SPDX-License-Identifier: MIT
local first = step("one", function() return "first" end)
return step("two", function() return first .. "_second" end)
