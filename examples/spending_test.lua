-- Tests of examples/spending.lua: which rules deny, which warn, and that they are counted right wherever the process dies.
--
--   perilune test examples/spending_test.lua
-- SPDX-License-Identifier: MIT

local t = require "perilune.test"

-- "max spend 1/0": checked and broken, as the run says it at its end
local function tallies(run)
  local list = {}
  for _, record in ipairs(run.records) do
    local data = record.data
    if record.kind == "gate" and data.gate == "rule" and data.checked then
      list[#list + 1] = ("%s %d/%d"):format(record.name, data.checked, data.broken)
    end
  end
  return list
end

t.describe("spending", function()
  t.it("buys what the rules allow", function()
    local run = t.run("spending", {})
    t.equal(run.output, { charged = 120, approved_by = "boris" })
    t.equal(tallies(run), { "max spend 1/0", "four eyes 1/0", "fair fee 1/0" })
  end)

  t.it("denies what is over the budget", function()
    local run = t.run("spending", { total = 700 })
    t.equal(run.error.code, "denied")
    t.equal(run.error.message, "rule 'max spend': 700 is over the budget of 500")
    t.equal(tallies(run), { "max spend 1/1", "four eyes 0/0", "fair fee 0/0" })
  end)

  t.it("denies who approves their own", function()
    local run = t.run("spending", {}, { mock = { approve = "ana" } })
    t.equal(run.error.message, "rule 'four eyes': nobody approves what they buy themselves")
  end)

  t.it("warns of a fee, and goes on", function()
    local run = t.run("spending", { total = 50 })
    t.equal(run.status, "completed")
    t.equal(tallies(run)[3], "fair fee 1/1")
  end)

  t.survives_crashes("spending", { total = 50 })
  t.survives_crashes("spending", { total = 700 }, { as = "spending that is denied" })
end)
