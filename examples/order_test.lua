-- Tests of examples/order.lua and examples/deadline.lua, in virtual time and without services: mocks stand in for steps.
--
--   perilune test examples/order_test.lua
-- SPDX-License-Identifier: MIT

local t = require "perilune.test"

local function shop()   -- made anew for each run under test
  return {
    reserve = { id = "r-1", price = 1250 },
    charge  = t.sequence { t.fails { message = "the bank is busy", code = "busy" }, { id = "p-1", amount = 1250 } },
    ship    = t.after("20m", { tracking = "T-77" }),
    mail    = { to = "ana@example.org" },
    refund  = true,
    ["undo reserve"] = true,
  }
end

local function without_trucks()
  local mocks = shop()
  mocks.ship = t.fails { message = "no truck", retry = false }
  return mocks
end

t.describe("order", function()
  t.it("ships what was paid", function()
    local run = t.run("order", { sku = "tea-1" }, { mock = shop })
    t.equal(run.status, "completed")
    t.equal(run.output, { tracking = "T-77", charged = 1250, mailed = "ana@example.org" })
    t.ok(run.seconds >= 1200, "twenty minutes went by, and none of ours")
    t.events(run, { "step.retry charge", "step.after charge", "checkpoint.after paid", "run.complete" }, { in_order = true })
  end)

  t.it("refunds and gives the stock back when shipping fails", function()
    local run = t.run("order", {}, { mock = without_trucks })
    t.equal(run.status, "failed")
    t.equal(run.error.message, "no truck")
    t.events(run, { "step.after charge", "compensate.after refund", "compensate.after undo reserve" }, { in_order = true })
  end)

  t.it("refuses an input that breaks the schema", function()
    local run = t.run("order", { quantity = 0 }, { mock = shop })
    t.equal(run.status, "refused")
    t.equal(run.error.code, "validation")
  end)

  t.survives_crashes("order", {}, { mock = shop })
  t.survives_crashes("order", {}, { mock = without_trucks, as = "an order that fails" })
end)

t.describe("deadline", function()
  t.it("gives up when nothing comes", function()
    local run = t.start("deadline", { alone = true, wait = "10m" })
    t.equal(run.status, "waiting")
    t.advance "9m"
    t.equal(run.status, "waiting")
    t.advance "1m"
    t.equal(run.output, { arrived = false, moved = 0 })
  end)

  t.it("waits longer when the customer says so, also across a crash", function()
    local run = t.start("deadline", { alone = true, wait = "10m" })
    run:advance "5m"
    run:signal("deadline", { wait = "1h" })
    run:crash()
    run:advance "30m"
    t.equal(run.status, "waiting")
    run:signal("goods", { pieces = 3 })
    t.equal(run.output, { arrived = true, moved = 1 })
  end)

  t.survives_crashes("deadline", { alone = true, wait = "10m" },
    { signals = { { name = "deadline", value = { wait = "1h" }, at = "1m" }, { name = "goods", at = "30m" } } })
end)
