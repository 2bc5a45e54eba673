-- Many items, a few at once: `map` keeps the order of the items, runs at most `limit` of them side by side and ends
-- when all have ended. Each item's step is recorded when it is done: a restart repeats only what was under way.
--
--   perilune run examples/fanout.lua
--   perilune run examples/fanout.lua --input '{"count": 1000, "limit": 50}'
-- SPDX-License-Identifier: MIT

local fanout = workflow {
  name        = "fanout",
  description = "Measures `count` items, `limit` of them at once, and adds up.",
  input       = {
    count = { type = "integer", minimum = 1, default = 20 },
    limit = { type = "integer", minimum = 1, default = 4 },
  },
  output      = { count = "integer", total = "integer", longest = "string", failed = "integer" },
}

local function measure(item)
  return step("measure " .. item, function()
    sleep "10ms" -- in place of the work
    if item % 7 == 0 then fail("item " .. item .. " cannot be measured", { retry = false }) end
    return { name = ("x"):rep(item % 5 + 1), value = item * item }
  end)
end

function fanout.run(input)
  local items = {}
  for i = 1, input.count do items[i] = i end

  -- "collect": a failure does not end the others; each answer is { ok, value } or { ok, error }.
  local answers = map(items, { limit = input.limit, fail = "collect" }, measure)

  local total, failed, longest = 0, 0, ""
  for _, answer in ipairs(answers) do
    if not answer.ok then
      failed = failed + 1
    else
      total = total + answer.value.value
      if #answer.value.name > #longest then longest = answer.value.name end
    end
  end
  return { count = #answers, total = total, longest = longest, failed = failed }
end

return fanout
