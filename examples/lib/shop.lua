-- Stand-ins for the services of examples/order.lua, so that it runs as it is: an inventory, a bank, a courier and a
-- mailer. They answer after a while, like services, and by the idempotency key that they are given: the same key, the
-- same answer. With a ledger each call also appends one line to it, `step attempt key`: what the world has seen,
-- whatever is recorded.
-- SPDX-License-Identifier: MIT

local shop = {}

-- A number that anybody can quote, made of the key that all attempts of a step share.
local function reference(prefix, attempt) return prefix .. "-" .. crypto.sha256(attempt.key):sub(1, 8) end

-- Everything that a service does to the world. To be called in a step's body.
local function act(order, name, attempt)
  sleep(order.latency)
  if order.ledger then file.append(order.ledger, name .. " " .. attempt.number .. " " .. attempt.key .. "\n") end
  sleep(order.latency)
end

function shop.reserve(order, attempt)
  act(order, "reserve", attempt)
  return { id = reference("res", attempt), sku = order.sku, n = order.quantity, price = 1250 * order.quantity }
end

function shop.charge(order, amount, attempt)
  act(order, "charge", attempt)
  if attempt.number <= order.declines then fail("the bank is busy", { code = "unavailable" }) end
  return { id = reference("pay", attempt), card = order.card, amount = amount }
end

function shop.ship(order, reservation, attempt)
  act(order, "ship", attempt)
  if order.trucks == 0 then fail("no truck is free", { code = "no_truck", retry = false }) end
  return { tracking = reference("trk", attempt), reservation = reservation.id }
end

function shop.mail(order, payment, attempt)
  act(order, "mail", attempt)
  return { to = order.email, about = payment.id }
end

-- What takes a thing back is called with what it gave.
local function take_back(order, name, id)
  if order.ledger then file.append(order.ledger, name .. " 1 " .. id .. "\n") end
  log.info(name, { id = id })
end

function shop.release(order, reservation) take_back(order, "release", reservation.id) end
function shop.refund(order, payment) take_back(order, "refund", payment.id) end

return shop
