-- Pattern 31: Blocking Partial Join. n of m fire; repeats wait until all have come.
-- construct: `join { need = n, reset = "block" }`
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
join { from = { a, b, c }, need = 2, reset = "block", each = function(values, n)
  saw(values[1] .. "+" .. values[2])
  if n == 2 then return true end
end }

return table.concat(trace, " ")
