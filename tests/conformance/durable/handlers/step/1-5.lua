-- A step that gives nothing.
-- SPDX-License-Identifier: MIT
return step("nothing", function() end)
