-- Two callbacks, one after the other.
-- SPDX-License-Identifier: MIT
local external = require "external"
local a = external.callback(input[1]):await()
local b = external.callback(input[2]):await()
return { a, b }
