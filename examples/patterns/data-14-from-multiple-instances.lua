-- Data pattern 14: Data Interaction - from Multiple Instance Task. The data of all instances comes together, in order.
-- construct: the results of `map`
-- trace: 1 4 9 16 = 30
local squares = map({ 1, 2, 3, 4 }, function(n)
  sleep((5 - n) * 0.02)   -- the last one ends first
  return step("square " .. n, function() return n * n end)
end)
local sum = 0
for _, square in ipairs(squares) do sum = sum + square end

return table.concat(squares, " ") .. " = " .. sum
