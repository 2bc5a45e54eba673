-- Pattern 23: Transient Trigger. A signal is lost unless somebody waits for it right then.
-- construct: `receive(name, { buffer = false })`
-- trace: second timeout
local trace = {}
local function saw(what) trace[#trace + 1] = what end

spawn("the bell", function()
  send(this.id, "bell", "first")
  sleep(0.4)
  send(this.id, "bell", "second")
end)

sleep(0.2)   -- nobody hears the first
saw(receive("bell", { buffer = false }))
local _, why = receive("bell", { buffer = false, timeout = 0.1 })
saw(why)

return table.concat(trace, " ")
