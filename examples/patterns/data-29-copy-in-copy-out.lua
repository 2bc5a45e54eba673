-- Data pattern 29: Data Transfer - Copy In / Copy Out. A task works on a copy; what it gives is copied back when it ends.
-- construct: `step(name, { input = data }, function(attempt, copy) ... return copy end)`
-- trace: lamp 10 lamp 8
local order = { item = "lamp", price = 10 }

-- Cut in the middle of the step, nothing of what it did to its copy is left; cut after it, the copy is read back.
local discounted = step("discount", { input = order }, function(_, copy)
  copy.price = copy.price - 2
  sleep(0.02)
  return copy
end)
local before = order.item .. " " .. order.price   -- untouched
order = discounted

return before .. " " .. order.item .. " " .. order.price
