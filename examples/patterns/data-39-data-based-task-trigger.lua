-- Data pattern 39: Data-based Task Trigger. A task begins when a condition on the data of the case comes to hold.
-- construct: `guard` around the wait: it is looked at after each record, and ends the wait
-- trace: 3 6 9 12 refill 15
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end
local used = 0

spawn("use", function()
  for i = 1, 5 do
    sleep(0.1)
    used = used + step("use " .. i, function() return 3 end)
    saw(used)
  end
end)
guard(function() return used < 10 end, function() sleep "1h" end)   -- no polling: until it does not hold any more
saw(step("refill", function() return "refill" end))
sleep(0.5)

return table.concat(trace, " ")
