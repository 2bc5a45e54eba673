-- One that nobody answers in time.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.wait_for(input, { timeout = 3 }, function() end)
