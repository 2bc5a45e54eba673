-- Exception pattern SFF-RCC-COM: the item has failed, its case is ended, and all that the case had done is taken back.
-- construct: `saga`, or the run itself
-- trace: failure:gone deadline:gone trigger:gone constraint:gone
-- undone: undo pay failure, undo book failure, undo pay deadline, undo book deadline, undo pay trigger, undo book trigger, undo pay constraint, undo book constraint
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

local function case(kind)
  step("book " .. kind, { undo = function() end }, function() end)
  step("pay " .. kind, { undo = function() end }, function() end)
  item(kind)
  step("never", function() end)
end

-- Each case is a saga here, so that one script shows four of them; a run is one too.
for _, kind in ipairs { "failure", "deadline", "trigger", "constraint" } do
  if not pcall(saga, function() case(kind) end) then saw(kind .. ":gone") end
end

return table.concat(trace, " ")
