-- Two polls in a row: what the first gave is where the second begins.
-- SPDX-License-Identifier: MIT
local function poll(state, limit)
  return loop("poll", { every = "1s" }, function()
    state = step("poll", { retry = 1 }, function() return state + 1 end)
    if state >= limit then return state end
  end)
end
return poll(poll(0, 2), 4)
