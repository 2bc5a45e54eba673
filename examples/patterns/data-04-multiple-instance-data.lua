-- Data pattern 4: Multiple Instance Data. Each instance of a task has data of its own, which the others do not see.
-- construct: locals of the function of `map`
-- trace: ana 3 ben 30 cleo 300
local trace = {}

local sums = map({ { "ana", 1 }, { "ben", 10 }, { "cleo", 100 } }, function(item)
  local sum = 0   -- one for each instance, and right after a crash
  for i = 1, 3 do
    sum = sum + step(item[1] .. " " .. i, function() sleep(0.02) return item[2] end)
  end
  return item[1] .. " " .. sum
end)
for _, sum in ipairs(sums) do trace[#trace + 1] = sum end

return table.concat(trace, " ")
