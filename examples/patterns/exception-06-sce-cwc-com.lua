-- Exception pattern SCE-CWC-COM: the item goes on, the case goes on, and something is done about it: a warning.
-- construct: `parallel` with `tolerate`, `spawn`, `guard` beside the item
-- trace: failure:done deadline:done trigger:done constraint:done next
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

-- What is done about it.
local function warn(what) step("warn: " .. what, function() log.warn(what) end) end
local function item(name) return step("item: " .. name, function() sleep(0.2) return "done" end) end

-- A part of the item fails: the rest goes on.
local parts, info = parallel({
  rest = function() return item "failure" end,
  part = function() step("part", { retry = 1 }, function() fail "the tool broke" end) end,
}, { tolerate = 1 })
if info.failed == 1 then warn "failure" end
saw("failure:" .. parts.rest)

-- Watches beside the item: who comes first is waited for, and the watch alone is withdrawn.
local function watched(name, event)
  local watch = spawn("watch " .. name, function() event() warn(name) end)
  local value = item(name)
  watch:cancel()
  saw(name .. ":" .. value)
end

watched("deadline", function() sleep(0.05) end)

spawn("somebody", function() sleep(0.05) send(this.id, "look", "please") end)
watched("trigger", function() receive "look" end)

local stock = 1
spawn("a customer", function() sleep(0.05) stock = 0 end)
watched("constraint", function() guard(function() return stock > 0 end, function() sleep "1h" end) end)
saw("next")

return table.concat(trace, " ")
