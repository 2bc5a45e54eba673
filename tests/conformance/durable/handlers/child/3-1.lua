-- A task with a step.
-- SPDX-License-Identifier: MIT
return spawn("child", function()
  return step("inner", function() return input end)
end):await()
