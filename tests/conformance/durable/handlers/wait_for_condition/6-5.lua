-- A fixed pause between polls.
-- SPDX-License-Identifier: MIT
local state = 0
return loop("poll", { every = "2s" }, function()
  state = step("poll", { retry = 1 }, function() return state + 1 end)
  if state >= input then return state end
end)
