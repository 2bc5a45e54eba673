-- Exception pattern SFF-RCC-COM: the item has failed, its case is ended, and all that the case had done is taken back.
-- construct: `saga`, or the run itself
-- trace: failure:gone deadline:gone trigger:gone constraint:gone
-- undone: undo pay failure, undo book failure, undo pay deadline, undo book deadline, undo pay trigger, undo book trigger, undo pay constraint, undo book constraint
local item = require "lib.item"   -- the work: raises what has happened to it
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

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
