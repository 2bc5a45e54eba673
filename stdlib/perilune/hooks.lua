-- The hooks of a script: on(pattern, fn), and what the API's functions do where a script has hooks. They are part of its
-- body: they run in the task that meets the point, live and on replay, and what they do is recorded like anything else.
--
--   step(...) --hooks listen--> M.step(host, ...) --> the before hooks --> host.step, told what they decided --> the others
--
-- `host` is what the runtime lends for a call; it is kept nowhere, since what is kept here is part of a loop's snapshot.
-- An event is made for each round; replies are checked by the runtime and go back to it as text.
-- SPDX-License-Identifier: MIT

local M = { entries = {}, count = 0 }

local Handle = {}
Handle.__index = Handle
Handle.__metatable = false
Handle.__name = "hook"

local function forget(entry)
  for i, other in ipairs(M.entries) do
    if other == entry then
      table.remove(M.entries, i)
      return
    end
  end
end

function Handle:remove()
  forget(self.entry)
end

-- on(pattern, [options], fn): the options are checked already. Greater priorities first, then in the order of registration.
function M.on(host, pattern, priority, once, fn)
  M.count = M.count + 1
  local entry = { pattern = pattern, points = host.points(pattern), priority = priority, once = once, fn = fn }
  local place = #M.entries + 1
  while place > 1 and M.entries[place - 1].priority < priority do place = place - 1 end
  table.insert(M.entries, place, entry)
  return setmetatable({ entry = entry }, Handle)
end

-- The hooks that listen now: what a hook adds or removes counts from the next event on.
local function listeners(host, point)
  local found
  for _, entry in ipairs(M.entries) do
    local hears
    if entry.points then hears = entry.points[point] else hears = host.matches(entry.pattern, point) end
    if hears then
      found = found or {}
      found[#found + 1] = entry
    end
  end
  return found
end

-- Calls one hook and gives what host.reply makes of its answer. What a hook does meets no hooks.
local function answer(host, entry, point, event)
  if entry.once then forget(entry) end
  local before = host.within(true)
  local ok, reply, ends, changed = pcall(function() return host.reply(point, entry.fn(event)) end)
  host.within(before)
  if not ok and host.cancelled() then error(reply, 0) end
  return ok, reply, ends, changed
end

local function complain(entry, point, problem)
  log.error("a hook on '" .. entry.pattern .. "' failed at " .. point .. ": " .. tostring(problem))
end

-- An event that hooks only see. One that fails is logged.
local function tell(host, point, event)
  local hooks = listeners(host, point)
  if not hooks then return end
  event.point = point
  event = host.event(event)
  for _, entry in ipairs(hooks) do
    local ok, problem = answer(host, entry, point, event)
    if not ok then complain(entry, point, problem) end
  end
end

-- A round that may decide: gives the list of replies, or nil, and what has replaced the field `name` of the event, as { value }
-- or nil. A hook that fails before something fails that; one that fails later is logged.
local function ask(host, point, event, name)
  local hooks = listeners(host, point)
  if not hooks then return nil end
  event.point = point
  event = host.event(event)
  local replies, replaced
  for _, entry in ipairs(hooks) do
    local ok, reply, ends, changed = answer(host, entry, point, event)
    if not ok then
      if point:sub(-7) == ".before" then reply, ends, changed = host.failure(reply), true, nil
      else complain(entry, point, reply) reply = nil end
    end
    if reply then
      replies = replies or {}
      replies[#replies + 1] = reply
      if changed then event[name], replaced = changed[1], changed end
      if ends then break end
    end
  end
  return replies, replaced
end

-- What becomes of an error that is about to be raised.
local function last_word(host, name, problem)
  local how, with = host.verdict("error", ask(host, "error", { step = name, error = problem }))
  if how == "value" then return true, with end
  if how == "error" then problem = with end
  if how == "escalate" then host.escalate(problem) end
  return false, problem
end

-- A step or an effect: `run(input, replies, again)` does it, as a repetition of the operation `again`, and gives its end
-- ("done", "skipped", "failed", "cancelled"), value or error, and what is known of it. Gives ok and the value or error.
local function around(host, name, input, asks, run)
  local again, attempts = nil, 0
  while true do
    local replies, replaced
    if asks then replies, replaced = ask(host, "step.before", { step = name, input = input }, "input") end
    if replaced then input = replaced[1] end
    local how, value, facts = run(input, replies, again)
    if how == "cancelled" then return false, value end
    for _, problem in ipairs(facts.retried) do
      tell(host, "step.retry", { step = name, attempt = problem.attempt, error = problem })
    end
    attempts = attempts + facts.attempts
    local event = { step = name, input = input, attempts = attempts, duration_ms = facts.duration_ms }
    if how == "done" then
      event.result = value
      tell(host, "step.after", event)
      return true, value
    elseif how == "skipped" then
      tell(host, "step.skip", { step = name, result = value, by = facts.by })
      return true, value
    end
    event.error = value
    local said, with, delay = host.verdict("step.fail", ask(host, "step.fail", event))
    if said == "value" then return true, with end
    if said == "retry" and not host.retryable(value) then
      log.error("a hook said retry, but an error with the code '" .. value.code .. "' is never retried (step '" .. name .. "')")
      said = nil
    end
    if said ~= "retry" then return last_word(host, name, value) end
    if with then input = with[1] end
    again = again or facts.operation
    if delay > 0 then sleep("retry " .. name, delay) end
  end
end

function M.step(host, name, options, body)
  if body == nil then options, body = nil, options end
  if type(name) ~= "string" or type(options or {}) ~= "table" or type(body) ~= "function" then
    return host.step(name, options, body)   -- which says what is wrong
  end
  local input = options and rawget(options, "input")
  local asks = not (options and rawget(options, "when") == false)
  return around(host, name, input, asks, function(with, replies, again)
    return host.step(name, options, body, with, replies, again)
  end)
end

function M.effect(host, kind, name, ...)
  local given, arguments = table.pack(...), json.array {}
  for i = 1, given.n do
    if given[i] == nil then arguments[i] = json.null else arguments[i] = given[i] end
  end
  return around(host, name, arguments, true, function(with, replies, again)
    return host.effect(kind, replies, again, table.unpack(with))
  end)
end

return M
