-- A hook file that caches: what a courier was booked for is not booked again for the same order. The answers are files, so that
-- they outlive the process; hooks may await effects such as these.
--
--   perilune run examples/order.lua --hooks examples/hooks/cache.lua      twice: the second time the step is skipped
-- SPDX-License-Identifier: MIT

local k_steps = { ship = true }

local function place(e)
  return "cache/" .. crypto.sha256(json.encode { e.run.workflow, e.step, e.run.input }) .. ".json"
end

on("step.before", function(e)
  if k_steps[e.step] and file.exists(place(e)) then return skip(json.decode(file.read(place(e)))) end
end)

on("step.after", function(e)
  if not k_steps[e.step] then return end
  file.mkdir("cache")
  file.write(place(e), json.encode(e.result))
end)
