-- A callback that is answered while the run waits for something else.
-- SPDX-License-Identifier: MIT
local external = require "external"
local callback = external.callback(input)
sleep(5)
return callback:await()
