-- A call within a task.
-- SPDX-License-Identifier: MIT
return spawn("child", function() return call("echo", { n = 1 }) end):await()
