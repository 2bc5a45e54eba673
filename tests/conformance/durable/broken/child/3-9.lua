-- Wrong: the step runs outside of the task.
-- SPDX-License-Identifier: MIT
local value = step("inner", function() return input end)
spawn("child", function() return value end):await()
sleep(1)
return value
