-- A callback, a step beside it, and an answer that is a failure.
-- SPDX-License-Identifier: MIT
local external = require "external"
local callback = external.callback(input)
step("beside", function() return "done" end)
return callback:await()
