-- A callback is asked for and answered.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.wait_for(input, {}, function() end)
