-- A counter is polled until it has come to the input.
-- SPDX-License-Identifier: MIT
local state = 0
return loop("poll", { every = "1s" }, function()
  state = step("poll", { retry = 1 }, function() return state + 1 end)
  if state >= input then return state end
end)
