-- An order from the shelf to the door: reserve, charge, then ship and write a mail side by side; when it fails, all that
-- was done is undone, newest first. Every step's answer is recorded before the next begins; kill the process anywhere,
-- `perilune resume`, and nothing that is recorded is done again. The services are stand-ins of lib/shop.lua; yours would be `http.post(url, { json = ... })` in their place.
--
--   perilune run examples/order.lua
--   perilune run examples/order.lua --input '{"sku": "tea-1", "quantity": 3, "ledger": "ledger.txt"}'
--   perilune run examples/order.lua --input '{"trucks": 0}'          (fails, and takes back payment and stock)
-- SPDX-License-Identifier: MIT

local shop = require "lib.shop"

local order = workflow {
  name        = "order",
  version     = 1,
  description = "Reserve, charge, ship; undo everything on failure.",
  input       = {
    sku      = { type = "string", default = "tea-1" },
    quantity = { type = "integer", minimum = 1, default = 1 },
    card     = { type = "string", default = "4242" },
    email    = { type = "string", default = "ana@example.org" },
    latency  = { type = "string", format = "duration", default = "20ms", description = "half of what a service takes" },
    declines = { type = "integer", minimum = 0, default = 1, description = "so often the bank is busy at first" },
    trucks   = { type = "integer", minimum = 0, default = 3, description = "with none the shipping fails for good" },
    ledger   = "string?", -- a file to which each call of a service appends a line
  },
  output      = { tracking = "string", charged = "integer", mailed = "string" },
  timeout     = "1h",
}

function order.run(input)
  local stock = step("reserve", { undo = function(stock) shop.release(input, stock) end },
    function(attempt) return shop.reserve(input, attempt) end)

  -- The bank sees `attempt.key`, the same for all attempts, also for those after a crash: it charges once.
  local payment = step("charge", { retry = { attempts = 5, backoff = "100ms" }, timeout = "30s" }, function(attempt)
    return shop.charge(input, stock.price, attempt)
  end)

  compensate("refund", function() shop.refund(input, payment) end)

  checkpoint "paid"

  local done = parallel {
    ship = function() return step("ship", function(attempt) return shop.ship(input, stock, attempt) end) end,
    mail = function() return step("mail", function(attempt) return shop.mail(input, payment, attempt) end) end,
  }
  return { tracking = done.ship.tracking, charged = payment.amount, mailed = done.mail.to }
end

return order
