-- The step of a task fails; the one that awaits it goes on.
-- SPDX-License-Identifier: MIT
local child = spawn("child", function()
  step("inner", { retry = 1 }, function() error("no") end)
end)
if not pcall(child.await, child) then
  return step("recover", function() return input end)
end
