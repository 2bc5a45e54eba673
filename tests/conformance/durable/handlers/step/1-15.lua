-- A step that is tried again because of the code of its error.
-- SPDX-License-Identifier: MIT
return step("transient", { retry = { attempts = 3, backoff = "1s", jitter = 0, on = "TransientError" } }, function(attempt)
  if attempt.number == 1 then fail("the line is busy", { code = "TransientError" }) end
  return "through"
end)
