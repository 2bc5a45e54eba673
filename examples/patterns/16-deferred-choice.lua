-- Pattern 16: Deferred Choice. The world chooses: the first event wins, the others are withdrawn.
-- construct: `race` of `receive`, `sleep`, `ask`
-- trace: train 9:40 then bus 9:55
local trace = {}
local function saw(what) trace[#trace + 1] = what end

spawn("the world", function()
  sleep(0.1)
  send(this.id, "train", "9:40")
  sleep(0.2)
  send(this.id, "bus", "9:55")
end)

local at, by = race {
  bus = function() return receive "bus" end,
  train = function() return receive "train" end,
  feet = function() sleep "1h" return "11:00" end,
}
saw(by) saw(at)
saw("then")
saw("bus") saw(receive "bus")   -- the receive that was withdrawn took no signal

return table.concat(trace, " ")
