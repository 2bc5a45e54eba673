-- A task with two steps, of which the second takes what the first gave.
-- SPDX-License-Identifier: MIT
return spawn("child", function()
  local first = step("first", function() return input end)
  return step("second", function() return first end)
end):await()
