-- A failure as the answer is caught, and a wait follows.
-- SPDX-License-Identifier: MIT
local external = require "external"
local callback = external.callback(input)
local ok, problem = pcall(callback.await, callback)
local message = ok and "answered" or "not answered: " .. problem.message
sleep(2)
return message
