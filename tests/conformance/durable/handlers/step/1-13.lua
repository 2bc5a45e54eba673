-- A step that succeeds at its third attempt, with the retries that are the default.
-- SPDX-License-Identifier: MIT
return step("unreliable", function(attempt)
  if attempt.number < 3 then error("not yet") end
  return "Operation succeeded"
end)
