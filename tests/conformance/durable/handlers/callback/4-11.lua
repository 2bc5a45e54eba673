-- A callback whose time runs out while the run waits for something else.
-- SPDX-License-Identifier: MIT
local external = require "external"
local callback = external.callback(input, { timeout = 3 })
sleep(6)
return callback:await()
