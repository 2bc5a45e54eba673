-- A task with a step that succeeds at its second attempt.
-- SPDX-License-Identifier: MIT
return spawn("child", function()
  return step("inner", { retry = { attempts = 2, backoff = "1s", jitter = 0 } }, function(attempt)
    if attempt.number == 1 then error("not yet") end
    return input
  end)
end):await()
