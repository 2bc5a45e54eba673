-- A deadline that can be moved: the run waits for the goods until then; the signal `deadline` moves it, `goods` ends the
-- wait. Signals and the time that is left outlive the process: stop it, send the signal, resume.
--
--   perilune run examples/deadline.lua                         the customer moves the deadline twice, then the goods come
--   perilune run examples/deadline.lua --id d --input '{"alone": true, "wait": "10m"}'
--   perilune signal d deadline '{"wait": "1h"}'                after Ctrl-C; then: perilune resume d
-- SPDX-License-Identifier: MIT

local deadline = workflow {
  name        = "deadline",
  description = "Waits for goods until a deadline that signals may move.",
  input       = {
    wait   = { type = "string", format = "duration", default = "2s" },
    alone  = { type = "boolean", default = false, description = "signals come from outside alone" },
    moves  = { type = "array", default = { "3s", "1h" }, description = "what the customer's signals move it to" },
    ledger = "string?", -- a file to which each step appends a line, `step attempt key`
  },
  output      = { arrived = "boolean", moved = "integer" },
}

local function note(input, name, attempt)
  if input.ledger then file.append(input.ledger, name .. " " .. attempt.number .. " " .. attempt.key .. "\n") end
end

-- Plays the customer and the supplier, so that the example runs as it is.
local function play(input)
  for i, wait in ipairs(input.moves) do
    sleep "100ms"
    step("move " .. i, function(attempt) note(input, "move " .. i, attempt) end)
    send(this.id, "deadline", { wait = wait })
  end
  sleep "100ms"
  step("deliver", function(attempt) note(input, "deliver", attempt) end)
  send(this.id, "goods", { pieces = 3 })
end

function deadline.run(input)
  if not input.alone then spawn("customer and supplier", function() play(input) end) end
  local wait, moved = input.wait, 0
  while true do
    -- The first of the three ends the wait, the others are withdrawn; a withdrawn `receive` takes no signal.
    local what, event = race {
      goods = function() return receive "goods" end,
      moved = function() return receive "deadline" end,
      late  = function() sleep(wait) end,
    }
    if event == "moved" then
      wait, moved = what.wait, moved + 1
      log.info("the deadline is moved", { wait = wait })
    else
      step("close the order", function(attempt) note(input, "close the order", attempt) end)
      return { arrived = event == "goods", moved = moved }
    end
  end
end

return deadline
