-- A step and a wait: the step is not run again behind it.
-- SPDX-License-Identifier: MIT
local value = step("cached", function()
  log.info("step executed")
  return "cached_value"
end)
sleep(1)
return value
