-- A trip is a flight, a hotel and a car, or nothing: when a part is not to be had, what was booked is taken back, newest
-- first, and the next place is tried. The hotel's desk is busy at first when it is asked to cancel: an undo is a step with
-- attempts and an idempotency key of its own, and goes on being tried after a crash.
--
--   perilune run examples/trip.lua
--   perilune run examples/trip.lua --input '{"places": ["Faro"], "without_car": ["Faro"]}'      (fails: no place is left)
-- SPDX-License-Identifier: MIT

local trip = workflow {
  name        = "trip",
  description = "Books flight, hotel and car at the first place that has all three.",
  input       = {
    places      = { type = "array", items = { type = "string" }, default = { "Faro", "Oulu" } },
    without_car = { type = "array", items = { type = "string" }, default = { "Faro" } },
    busy        = { type = "integer", minimum = 0, default = 1, description = "so often the hotel can't cancel at first" },
    latency     = { type = "string", format = "duration", default = "10ms" },
    ledger      = "string?", -- a file to which each call appends a line, `call attempt key`
  },
  output      = { place = "string", booked = { type = "array" }, cancelled = { type = "integer" } },
}

-- In place of the services: takes a while, and leaves its trace in the world.
local function call(input, name, attempt)
  sleep(input.latency)
  if input.ledger then file.append(input.ledger, name .. " " .. attempt.number .. " " .. attempt.key .. "\n") end
  sleep(input.latency)
  return name .. " " .. crypto.sha256(attempt.key):sub(1, 6)
end

local function book(input, what, place)
  local name = what .. " " .. place
  local function cancel(_, attempt)
    call(input, "undo " .. name, attempt)
    if what == "hotel" and attempt.number <= input.busy then fail("the desk is busy", { code = "unavailable" }) end
  end
  return step(name, { undo = cancel, retry = { attempts = 5, backoff = "20ms" } }, function(attempt)
    local booking = call(input, name, attempt)
    for _, without in ipairs(input.without_car) do
      if what == "car" and place == without then fail("no car is left in " .. place, { code = "no_car", retry = false }) end
    end
    return booking
  end)
end

function trip.run(input)
  local cancelled = 0
  for _, place in ipairs(input.places) do
    local ok, booked = pcall(saga, function()
      return { book(input, "flight", place), book(input, "hotel", place), book(input, "car", place) }
    end)
    if ok then return { place = place, booked = booked, cancelled = cancelled } end
    log.info(booked.message)
    cancelled = cancelled + 2   -- flight and hotel; the car was never had
  end
  fail("no place has a flight, a hotel and a car", { code = "no_place" })
end

return trip
