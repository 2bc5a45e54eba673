-- Wrong: the failure is not caught.
-- SPDX-License-Identifier: MIT
local callback = spawn("callback " .. input, function()
  local answer = receive(input)
  fail(answer.failure.message, { code = answer.failure.type })
end)
callback:await()
sleep(2)
return "answered"
