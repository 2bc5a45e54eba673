-- Exception pattern SFF-RAC-NIL: the item has failed, and all cases of its kind are ended; nothing is recovered.
-- construct: a `group` of cases and `group:cancel`
-- trace: failure:3 deadline:3 trigger:3 constraint:3 next
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end
local stock = 1

-- The item of work under each kind of exception: it never ends well, and raises what has happened.
local function item(kind)
  if kind == "failure" then
    return step("item: failure", { retry = 1 }, function() fail("the tool broke", { code = "failure" }) end)
  elseif kind == "deadline" then
    return step("item: deadline", { retry = 1, timeout = 0.05 }, function() sleep "1h" end)
  elseif kind == "trigger" then
    spawn("somebody", function() sleep(0.05) send(this.id, "stop", "by hand") end)
    local how = race {
      function() return step("item: trigger", function() sleep "1h" end) end,
      function() return receive "stop" end,
    }
    fail("stopped " .. how, { code = "trigger" })
  else
    spawn("a customer", function() sleep(0.05) stock = 0 end)
    guard(function() return stock > 0 end, function() step("item: constraint", function() sleep "1h" end) end)
    fail("nothing is in stock", { code = "constraint" })
  end
end

for _, kind in ipairs { "failure", "deadline", "trigger", "constraint" } do
  local cases = group {}
  for i = 1, 3 do
    cases:add(function() step(kind .. " case " .. i, function() sleep "1h" end) end)
  end
  if not pcall(item, kind) then cases:cancel() end
  local _, info = cases:wait { need = "now" }
  saw(kind .. ":" .. info.cancelled)
end
saw("next")

return table.concat(trace, " ")
