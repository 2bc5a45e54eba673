-- A step that greets.
-- SPDX-License-Identifier: MIT
return step("greet", function() return "Hello, " .. input .. "!" end)
