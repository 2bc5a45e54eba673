-- Data pattern 31: Data Transfer by Reference - With Lock. Tasks share one piece of data, one of them at a time.
-- construct: `lock(name, fn)` around what reads and writes a shared variable
-- trace: 30
local balance = 0

local function deposit(amount)
  lock("balance", function()
    local seen = balance
    sleep(0.02)   -- without the lock the others would read the same
    balance = step("add " .. amount, function() return seen + amount end)
  end)
end

parallel {
  function() deposit(5) end,
  function() deposit(10) end,
  function() deposit(15) end,
}

return tostring(balance)
