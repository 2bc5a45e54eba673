-- A step that may run at most once, and kills the process that runs it.
-- SPDX-License-Identifier: MIT
return step("at_most_once_flaky_step", { once = true }, function()
  log.info("at most once: " .. input)
  shell.sh("kill -KILL $PPID")
end)
