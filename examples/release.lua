-- A release as a table of steps: each begins when all that it needs is done, as wide as that allows. A step that is skipped
-- says so to those that need it; a release candidate that is not good enough sends the flow back, to the change.
--
--   perilune run examples/release.lua
--   perilune run examples/release.lua --input '{"docs": false, "rounds": 2}'
-- SPDX-License-Identifier: MIT

-- In place of the work: takes a while, and leaves its trace in the world.
local function work(name, takes, result)
  return function(needs, attempt, flow)
    sleep(takes)
    if flow.input.ledger then
      file.append(flow.input.ledger, name .. " " .. attempt.number .. " " .. attempt.key .. "\n")
    end
    return result
  end
end

return concurrent {
  name        = "release",
  description = "Builds, tests and publishes.",
  input       = {
    docs   = { type = "boolean", default = true },
    rounds = { type = "integer", minimum = 1, default = 1, description = "so many candidates until one is good" },
    ledger = "string?", -- a file to which each step appends a line, `step attempt key`
  },
  limit       = 4,

  { "change",  run = function(_, _, flow) return (flow.results.change or 0) + 1 end },
  { "build",   needs = { "change" }, run = work("build", "20ms", "perilune.tar"), retry = 2, timeout = "1m" },
  { "lint",    needs = { "change" }, run = work("lint", "10ms", 0) },
  { "docs",    needs = { "change" }, when = function(_, flow) return flow.input.docs end, run = work("docs", "30ms", 12) },
  { "spell",   needs = { "docs" }, run = work("spell", "5ms", 0) },   -- skipped with the docs
  { "test",    needs = { "build" }, run = work("test", "30ms", 250), expect = { type = "integer", minimum = 1 } },
  { "judge",   needs = { "test", "lint", "spell" }, run = function(needs, _, flow) return flow.results.change end,
    back = { "change", max = 9, when = function(round, flow) return round < flow.input.rounds end } },
  { "wait",    needs = { "judge" }, sleep = "20ms" },   -- outlives the process; "2d" would as well
  { "publish", needs = { "wait", "build" }, run = work("publish", "10ms", "published"),
    undo = function() log.warn("withdraw it") end },
  { "tell",    needs = { "publish", "test" }, shell = function(needs)
    return { "printf", "%s after %s tests", needs.publish, tostring(needs.test), check = true }
  end },

  outputs = function(results, flow)
    return { said = results.tell.stdout, rounds = results.change, documented = not flow.skipped.docs }
  end,
}
