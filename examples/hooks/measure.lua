-- A hook file that measures: how long each step of every run took, and what the run made of it, as a line of the run's log.
--
--   perilune run examples/order.lua --hooks examples/hooks/measure.lua
-- SPDX-License-Identifier: MIT

local runs = {}   -- what the steps of a run have taken, by its id

on("step.after", function(e)
  local steps = runs[e.run.id] or {}
  steps[#steps + 1] = { step = e.step, ms = e.duration_ms, attempts = e.attempts }
  runs[e.run.id] = steps
end)

local function report(e)
  log.info("measured " .. e.run.workflow, { steps = runs[e.run.id] or {}, ended = e.point })
  runs[e.run.id] = nil
end
on("run.complete", report)
on("run.fail", report)
on("run.cancel", report)
