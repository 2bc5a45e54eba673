-- Wrong: there is no step, the value is made in the body.
-- SPDX-License-Identifier: MIT
local value = "cached_value"
log.info("step executed")
sleep(1)
return value
