-- A task, then a wait: the task's result is there again behind it.
-- SPDX-License-Identifier: MIT
local value = spawn("child", function()
  return step("inner", function() return input end)
end):await()
sleep(1)
return value
