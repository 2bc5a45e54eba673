-- The polls have a name.
-- SPDX-License-Identifier: MIT
local state = 0
return loop("poll-status", { every = "1s" }, function()
  state = step("poll-status", { retry = 1 }, function() return state + 1 end)
  if state >= input then return state end
end)
