-- A sign of life before the answer.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.wait_for(input, { heartbeat = 10 }, function() end)
