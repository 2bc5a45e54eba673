-- Two callbacks at a time, awaited in the other order.
-- SPDX-License-Identifier: MIT
local external = require "external"
local first, second = external.callback(input[1]), external.callback(input[2])
local b = second:await()
local a = first:await()
return { a, b }
