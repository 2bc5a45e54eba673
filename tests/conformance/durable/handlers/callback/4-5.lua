-- A callback with a sign of life before its answer.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.callback(input, { heartbeat = 10 }):await()
