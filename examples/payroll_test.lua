-- Tests of examples/payroll.lua: its gates, and that each is asked once, wherever the process dies.
--
--   perilune test examples/payroll_test.lua
-- SPDX-License-Identifier: MIT

local t = require "perilune.test"

-- The bank of the example, which is asked through printf.
local function bank() return { ["shell.run"] = function(command) return { code = 0, stdout = command[3] } end } end

-- "preflight held", "expect pay ana held", ...
local function verdicts(run)
  local list = {}
  for _, record in ipairs(run.records) do
    if record.kind == "gate" then
      local name = record.data.gate == record.name and record.name or record.data.gate .. " " .. record.name
      list[#list + 1] = name .. (record.data.held and " held" or ": " .. record.data.message)
    end
  end
  return list
end

t.describe("payroll", function()
  t.it("pays when all gates hold", function()
    local run = t.run("payroll", {}, { mock = bank })
    t.equal(run.output, { paid = 500, due = 500 })
    t.equal(verdicts(run), { "requires held", "input held", "preflight held", "expect pay ana held", "expect pay boris held",
                             "output held", "postflight held" })
  end)

  t.it("pays nobody when the funds are short", function()
    local run = t.run("payroll", { funds = 10 }, { mock = bank })
    t.equal(run.error.code, "gate")
    t.equal(run.error.message, "the account holds 10, and 500 are due")
    t.equal(verdicts(run)[3], "preflight: the account holds 10, and 500 are due")
    t.equal(#run.effects, 1)
  end)

  t.it("takes everything back when less has arrived", function()
    local run = t.run("payroll", { fee = 1 }, { mock = bank })
    t.equal(run.error.message, "498 of 500 have arrived")
    t.events(run, { "step.fail postflight", "compensate.after undo pay boris", "compensate.after undo pay ana" }, { in_order = true })
  end)

  t.it("lets a gate be decided by a mock", function()
    local run = t.run("payroll", {}, { mock = { preflight = t.fails("closed on sundays") } })
    t.equal(run.error.code, "gate")
    t.equal(run.error.message, "closed on sundays")
  end)

  t.survives_crashes("payroll", {}, { mock = bank })
  t.survives_crashes("payroll", { funds = 10 }, { mock = bank, as = "a payroll without funds" })
  t.survives_crashes("payroll", { fee = 1 }, { mock = bank, as = "a payroll that is taken back" })
end)
