-- Records through a sliding window: at most `window` are under way, the next one begins when one has ended, and the order
-- of the results is that of the records. Each is recorded when it is done: a restart repeats only what was in the window.
--
--   perilune run examples/window.lua
--   perilune run examples/window.lua --input '{"records": 20, "window": 2}'
-- SPDX-License-Identifier: MIT

local window = workflow {
  name        = "window",
  description = "Loads records, a few at once.",
  input       = {
    records = { type = "integer", minimum = 1, default = 500 },
    window  = { type = "integer", minimum = 1, default = 8 },
    ledger  = "string?", -- a file to which each record appends a line, `step attempt key`
  },
  output      = { loaded = "integer", sum = "integer", most = "integer" },
}

function window.run(input)
  local records, under_way, most = {}, 0, 0
  for i = 1, input.records do records[i] = { id = i, value = i * i % 97 } end

  local loaded = map(records, { limit = input.window }, function(record)
    under_way = under_way + 1
    most = math.max(most, under_way)
    local value = step("load " .. record.id, function(attempt)
      sleep(("%dms"):format(1 + record.id % 5))   -- in place of the work
      if input.ledger then
        file.append(input.ledger, "load " .. record.id .. " " .. attempt.number .. " " .. attempt.key .. "\n")
      end
      return record.value
    end)
    under_way = under_way - 1
    return value
  end)

  local sum = 0
  for _, value in ipairs(loaded) do sum = sum + value end
  return { loaded = #loaded, sum = sum, most = most }
end

return window
