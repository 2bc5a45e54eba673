-- Pattern 20: Cancel Case. Removes the whole run; what was done is undone.
-- construct: cancellation of the scope or the run, with `compensate`
-- trace: book pay cancelled
-- undone: undo-pay, undo-book
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local case = spawn("case", function()
  work("book", 1)
  compensate("undo-book", function() end)
  work("pay", 1)
  compensate("undo-pay", function() end)
  work("never", 9)
end)
sleep(0.3)
case:cancel()
pcall(case.await, case)
saw(case.status)

return table.concat(trace, " ")
