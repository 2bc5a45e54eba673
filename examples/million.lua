-- A loop of a million iterations in plain Lua, with a step in each thousand. It is saved from time to time: a process that is
-- killed anywhere goes on a moment before, not at the beginning, and the journal keeps only the last iterations.
--
--   perilune run examples/million.lua
--   perilune run examples/million.lua --input '{"iterations": 20000}'
-- SPDX-License-Identifier: MIT

local million = workflow {
  name   = "million",
  input  = {
    iterations = { type = "integer", minimum = 1, default = 1000000 },
    every      = { type = "integer", minimum = 1, default = 1000 },   -- iterations between two steps
    ledger     = "string?",                                           -- a file to which each step appends its number
  },
  output = { total = "integer", steps = "integer", seen = "integer" },
}

function million.run(input)
  local total = 0
  local seen = { count = 0 }                          -- one table, two functions
  local function see() seen.count = seen.count + 1 end
  local function how_many() return seen.count end

  loop("numbers", { from = 1, to = input.iterations, keep = 100 }, function(x)
    total = total + x
    see()
    if x % input.every == 0 then
      step("at " .. x, function()
        if input.ledger then file.append(input.ledger, x .. "\n") end
        return how_many()
      end)
    end
  end)
  return { total = total, steps = input.iterations // input.every, seen = how_many() }
end

return million
