-- The poll fails.
-- SPDX-License-Identifier: MIT
return loop("poll", { every = "1s" }, function()
  return step("poll", { retry = 1 }, function() error("cannot look") end)
end)
