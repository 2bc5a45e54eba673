-- A step, then a call with what it gave.
-- SPDX-License-Identifier: MIT
local value = step("value", function() return { n = 1 } end)
return call("echo", value)
