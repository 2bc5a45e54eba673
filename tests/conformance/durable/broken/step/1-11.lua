-- Wrong: the attempts are two steps.
-- SPDX-License-Identifier: MIT
pcall(step, "unreliable", { retry = 1 }, function() error("not yet") end)
sleep(1)
return step("unreliable", { retry = 1 }, function() return "Operation succeeded" end)
