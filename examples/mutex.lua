-- A mutex across runs: each teller is a run of its own, and only one of them at a time may touch the account. A teller that is
-- killed inside keeps the lock: it goes on inside when it is resumed, and the others wait for it.
--
--   perilune run examples/mutex.lua
--   perilune run examples/mutex.lua --input '{"tellers": 5, "account": "account"}'
-- SPDX-License-Identifier: MIT

local teller = workflow {
  name   = "teller",
  input  = { number = "integer", amount = "integer", account = "string?", ledger = "string?" },
  output = { balance = "integer" },
}

function teller.run(input)
  local function note(what)
    if input.ledger then file.append(input.ledger, what .. " " .. input.number .. "\n") end
  end
  return lock("account", { across = "runs", timeout = "1m" }, function()
    local balance = step("read", function()
      note "enter"
      if not (input.account and file.stat(input.account)) then return 100 end
      return math.tointeger(file.read(input.account))
    end)
    sleep "5ms" -- whoever came in between would be overwritten
    step("write", function()
      if input.account then file.write(input.account, tostring(balance + input.amount)) end
    end)
    step("leave", function() note "leave" end)
    return { balance = balance + input.amount }
  end)
end

local mutex = workflow {
  name        = "mutex",
  description = "Several runs that pay into one account.",
  input       = {
    tellers = { type = "integer", minimum = 1, default = 3 },
    account = "string?", -- the file with the balance
    ledger  = "string?", -- a file to which each teller appends a line when it enters and when it leaves
  },
  output      = { paid = "integer", balance = "integer?" },
}

function mutex.run(input)
  local numbers = {}
  for i = 1, input.tellers do numbers[i] = i end
  map(numbers, function(i)
    return call("teller", { number = i, amount = i * 10, account = input.account, ledger = input.ledger })
  end)
  local balance = step("look", function() return input.account and math.tointeger(file.read(input.account)) end)
  return { paid = input.tellers, balance = balance }
end

return { mutex, teller }
