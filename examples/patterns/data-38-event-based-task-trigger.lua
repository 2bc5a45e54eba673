-- Data pattern 38: Event-based Task Trigger. An event from outside begins a task, and gives it its data.
-- construct: `receive` before the task
-- trace: open order-7 packed
local trace = {}
local function saw(what) trace[#trace + 1] = what end

spawn("the world", function() sleep(0.1) send(this.id, "order", { id = "order-7" }) end)

saw("open")
local order = receive "order"
saw(step("pack", { input = order }, function(_, given) return given.id end))
saw("packed")

return table.concat(trace, " ")
