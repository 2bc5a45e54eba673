-- Pattern 24: Persistent Trigger. A signal is kept until somebody takes it.
-- construct: `receive`
-- trace: busy first second
local trace = {}
local function saw(what) trace[#trace + 1] = what end

spawn("the post", function()
  send(this.id, "letter", "first")
  send(this.id, "letter", "second")
end)

sleep(0.2)   -- both lie in the box
saw("busy")
saw(receive "letter")
saw(receive "letter")

return table.concat(trace, " ")
