-- A task that waits, then a step outside.
-- SPDX-License-Identifier: MIT
local value = spawn("child", function()
  sleep(1)
  return input
end):await()
return step("outer", function() return value end)
