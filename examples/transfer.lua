-- Money goes from one account to the other, once, also if the process dies between debit and credit, or between the
-- bank's answer and the record of it. The bank keeps a file of bookings by idempotency key: `attempt.key` is the same for
-- all attempts of a step, in this life and after a crash, so a booking that is repeated is found and not made again.
--
--   perilune run examples/transfer.lua
--   perilune run examples/transfer.lua --input '{"amount": 500}'           (more than there is: refused, nothing moves)
--   perilune run examples/transfer.lua --input '{"closed": true}'          (the credit fails: the debit is given back)
-- SPDX-License-Identifier: MIT

local transfer = workflow {
  name        = "transfer",
  description = "Debits one account and credits the other, each exactly once.",
  input       = {
    from   = { type = "string", default = "anna" },
    to     = { type = "string", default = "ben" },
    amount = { type = "integer", minimum = 1, default = 30 },
    opens  = { type = "integer", default = 100, description = "what is on each account at first" },
    closed = { type = "boolean", default = false, description = "the account to credit is closed" },
    bank   = { type = "string", default = "", description = "the bank's file; without one: LEDGER.bank, else a temporary one" },
    ledger = "string?", -- a file to which each call of the bank appends a line, `step attempt key`
  },
  output      = { from = "integer", to = "integer" },
}

-- The bank: a file with a line a booking, `key account amount`. It knows nothing of workflows.
local function bookings(path)
  local list = {}
  if not file.exists(path) then return list end
  for line in file.read(path):gmatch "[^\n]+" do
    local key, account, amount = line:match "^(%S+) (%S+) (%S+)$"
    if key then table.insert(list, { key = key, account = account, amount = math.tointeger(tonumber(amount)) }) end
  end
  return list
end

local function balance(input, account)
  local sum = input.opens
  for _, booking in ipairs(bookings(input.bank)) do
    if booking.account == account then sum = sum + booking.amount end
  end
  return sum
end

local function post(input, name, account, amount, attempt)
  if input.ledger then file.append(input.ledger, name .. " " .. attempt.number .. " " .. attempt.key .. "\n") end
  for _, booking in ipairs(bookings(input.bank)) do
    if booking.key == attempt.key then return booking.amount end   -- asked before: the same answer
  end
  if amount > 0 and input.closed and account == input.to then
    fail("the account of " .. account .. " is closed", { code = "closed", retry = false })
  end
  if balance(input, account) + amount < 0 then
    fail(account .. " has not enough", { code = "refused", retry = false })
  end
  file.append(input.bank, attempt.key .. " " .. account .. " " .. amount .. "\n")
  sleep "20ms"  -- the answer's way back: a crash in here leaves a booking of which nothing is recorded
  return amount
end

function transfer.run(input)
  if input.bank == "" then input.bank = input.ledger and input.ledger .. ".bank" or file.temp() .. "/bank" end
  step("debit", {
    undo = function(_, attempt) post(input, "undo debit", input.from, input.amount, attempt) end,
  }, function(attempt) return post(input, "debit", input.from, -input.amount, attempt) end)

  step("credit", function(attempt) return post(input, "credit", input.to, input.amount, attempt) end)

  return step("balances", function()
    return { from = balance(input, input.from), to = balance(input, input.to) }
  end)
end

return transfer
