-- A step that succeeds at its second attempt.
-- SPDX-License-Identifier: MIT
return step("unreliable", { retry = { attempts = 3, backoff = "1s", jitter = 0 } }, function(attempt)
  if attempt.number == 1 then error("not yet") end
  return "Operation succeeded"
end)
