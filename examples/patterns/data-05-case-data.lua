-- Data pattern 5: Case Data. What all tasks of one case can see, and no other case.
-- construct: variables of the script
-- trace: ordered packed sent 3
local seen = {}   -- one for each run; a run that is resumed has it again as it was

local function note(what) seen[#seen + 1] = step(what, function() return what end) end

note("ordered")
parallel {
  function() sleep(0.02) note("packed") end,
  function() sleep(0.1) note("sent") end,
}

return table.concat(seen, " ") .. " " .. #seen
