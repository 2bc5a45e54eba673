-- What is polled is an object.
-- SPDX-License-Identifier: MIT
local state = { status = "PENDING", attempts = 0 }
return loop("poll", { every = "1s" }, function()
  state = step("poll", { retry = 1 }, function()
    local attempts = state.attempts + 1
    return { status = attempts >= 2 and "DONE" or "PENDING", attempts = attempts }
  end)
  if state.status == "DONE" then return state end
end)
