-- A callback that is answered.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.callback(input):await()
