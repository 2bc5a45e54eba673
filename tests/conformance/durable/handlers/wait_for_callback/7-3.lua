-- One without a name.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.wait_for(nil, {}, function() end)
