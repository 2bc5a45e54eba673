-- For kill_test.py: an ordinary step, a step that must not happen twice, an ordinary step. Every body appends a line to
-- the ledger, `step attempt key`. With `kill` = a step's name the process is killed once in that step's body, when the
-- effect has happened and nothing is recorded of it. SPDX-License-Identifier: MIT

local function act(name, attempt)
  sleep "10ms"
  file.append(input.ledger, name .. " " .. attempt.number .. " " .. attempt.key .. "\n")
  if input.kill == name and not file.exists(input.ledger .. ".killed") then
    file.write(input.ledger .. ".killed", name)
    shell.run { "sh", "-c", "kill -KILL $PPID" }
  end
  sleep "10ms"
end

step("before", function(attempt) act("before", attempt) end)
local paid = step("pay", { once = true }, function(attempt)
  act("pay", attempt)
  return { receipt = crypto.sha256(attempt.key):sub(1, 8) }
end)
step("after", function(attempt) act("after", attempt) end)
return paid
