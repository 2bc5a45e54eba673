-- A task whose result is large: it is made again from what its step gave.
-- SPDX-License-Identifier: MIT
local large = spawn("child", function()
  log.info("child of " .. input)
  local small = step("small", function() return input end)
  return small:rep(40000)
end):await()
sleep(1)
return #large == 40000 * #input
