-- A step that fails for good.
-- SPDX-License-Identifier: MIT
return step("failing", { retry = 1 }, function() error("it never works") end)
