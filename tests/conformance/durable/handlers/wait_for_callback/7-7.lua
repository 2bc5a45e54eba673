-- The step that should tell the outside fails for good.
-- SPDX-License-Identifier: MIT
local external = require "external"
return external.wait_for(input, { retry = { attempts = 2, backoff = "1s", jitter = 0 } }, function() error("nobody there") end)
