-- Exception pattern SRS-CWC-NIL: the item is begun again, the case goes on, nothing is to be recovered.
-- construct: `retry` of a step; `loop` around a `race` or a `guard`
-- trace: failure:2 deadline:2 trigger:2 constraint:2 next
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

-- Work of the first try that does not end, of the second that does.
local function try(name, n) return step(name .. " " .. n, function() if n == 1 then sleep "1h" end return n end) end

saw("failure:" .. step("failure", { retry = { attempts = 2, backoff = 0.01 } }, function(attempt)
  if attempt.number == 1 then fail "the tool broke" end
  return attempt.number
end))

saw("deadline:" .. step("deadline", { retry = { attempts = 2, backoff = 0.01 }, timeout = 0.05 }, function(attempt)
  if attempt.number == 1 then sleep "1h" end
  return attempt.number
end))

spawn("somebody", function() sleep(0.05) send(this.id, "again", "by hand") end)
saw("trigger:" .. loop("until nobody stops it", { max = 5 }, function(i)
  local value, who = race {
    work = function() return try("trigger", i) end,
    stop = function() return receive "again" end,
  }
  if who == "work" then return value end
end))

local stock = 1
spawn("a customer", function() sleep(0.05) stock = 0 end)
saw("constraint:" .. loop("until it holds to the end", { max = 5 }, function(i)
  local value, why = guard(function() return stock > 0 end, function() return try("constraint", i) end)
  if why ~= "ended" then return value end
  stock = step("restock", function() return 5 end)
end))
saw("next")

return table.concat(trace, " ")
