-- Pattern 33: Generalized AND-Join. One value of each input for each firing; what is over is kept for the next.
-- construct: `channel.zip`
-- trace: a1+b1 a2+b2
local trace = {}
local function saw(what) trace[#trace + 1] = what end

local a, b, c = channel(9), channel(9), channel(9)
spawn("sources", function()
  for _, put in ipairs { { a, "a1" }, { a, "a2" }, { b, "b1" }, { c, "c1" }, { b, "b2" }, { c, "c2" } } do
    sleep(0.02)
    put[1]:put(put[2])
  end
end)
for _ = 1, 2 do
  local x, y = channel.zip(a, b)
  saw(x .. "+" .. y)
end

return table.concat(trace, " ")
