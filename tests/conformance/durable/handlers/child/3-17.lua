-- A task that only logs: the line is not written again behind the wait.
-- SPDX-License-Identifier: MIT
local value = spawn("child", function()
  log.info("child of " .. input)
  return input
end):await()
sleep(1)
return value
