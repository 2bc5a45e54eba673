-- A task that fails without a durable call.
-- SPDX-License-Identifier: MIT
spawn("child", function() error("thrown in the child") end):await()
