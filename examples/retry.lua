-- What a step does about failure: attempts, back-off, a time limit, errors that are not worth a second try, and `pcall`
-- for those that the workflow can live without. Failed attempts are recorded: after a crash the back-off goes on.
--
--   perilune run examples/retry.lua
--   perilune run examples/retry.lua --input '{"failures": 9}'      more than the step may try: the run fails
-- SPDX-License-Identifier: MIT

local failures = input.failures or 2

-- Fails `failures` times and then answers.
local answer = step("ask the oracle", {
  retry   = { attempts = 5, backoff = "100ms", factor = 2, max = "1s", jitter = 0.2 },
  timeout = "5s",
}, function(attempt)
  if attempt.number <= failures then
    fail("the oracle is asleep", { code = "unavailable" })
  end
  return { text = "it depends", asked = attempt.number }
end)

-- `unless` names codes for which trying again is pointless; `retry = false` in fail() says the same from within.
local ok, problem = pcall(step, "read the manual", { retry = { attempts = 5, unless = "absent" } }, function()
  fail("there is no manual", { code = "absent" })
end)

-- An attempt that takes too long is cancelled, with what it has under way, and counts as failed.
local in_time, late = pcall(step, "wait for the bus", { retry = 1, timeout = "50ms" }, function()
  sleep "1h"
end)

return {
  answer = answer,
  manual = ok or problem.code,
  bus    = in_time or late.code,
}
