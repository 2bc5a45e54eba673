-- The item of work of the exception patterns, under each kind of exception ("failure", "deadline", "trigger" or
-- "constraint"): it never ends well, and raises what has happened.
-- SPDX-License-Identifier: MIT
local stock = 1

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

return item
