-- Two, one after the other.
-- SPDX-License-Identifier: MIT
local external = require "external"
external.wait_for("first", {}, function() end)
return external.wait_for("second", {}, function() end)
