-- Tests of workflows: `local t = require "perilune.test"`, run by `perilune test`. A run under test is the real engine and
-- script in virtual time on a store in memory; mocks stand in for steps and effects, and an effect that nothing stands in
-- for fails the test by its name. What `trial` gives is in bindings/testing/bench.hpp.
-- SPDX-License-Identifier: MIT

local inside, trial = pcall(function() return trial end)
if not inside then error("perilune.test is there for test files: run this one with `perilune test FILE`", 0) end

local t = {}
local suites = {}          -- names of the describe calls around

-- ---- values as text, and where two differ

local function text_of(value)
  if type(value) == "string" then return string.format("%q", value) end
  if type(value) ~= "table" then return tostring(value) end
  local ok, text = pcall(json.encode, value)
  return ok and text or tostring(value)
end

local function difference(a, b, path)
  if type(a) ~= "table" or type(b) ~= "table" then
    if a == b then return nil end
    return string.format("%s is %s, expected %s", path, text_of(a), text_of(b))
  end
  for key, expected in pairs(b) do
    local found = difference(a[key], expected, path .. "." .. tostring(key))
    if found then return found end
  end
  for key, value in pairs(a) do
    if b[key] == nil then return string.format("%s.%s is %s, expected nothing", path, tostring(key), text_of(value)) end
  end
end

local function complain(message)
  fail(message, { code = "assertion", retry = false })
end

-- ---- mocks

local Later = {}      -- t.after: an answer that takes time
local Series = {}     -- t.sequence: one answer after another

-- The step or effect fails, with a message or { message =, code =, retry =, data = }.
function t.fails(what)
  local error_ = type(what) == "table" and what or { message = what or "it fails" }
  return function() fail(error_.message or "it fails", { code = error_.code, retry = error_.retry, data = error_.data }) end
end

-- It answers after some virtual time.
function t.after(duration, answer) return { [Later] = duration, answer = answer } end

-- The first call gets the first answer, and so on; the last one stays.
function t.sequence(answers) return { [Series] = answers } end

local units = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400, w = 604800 }
local function seconds_of(duration)
  if type(duration) == "number" then return duration end
  local total, rest = 0, tostring(duration)
  for number, unit in rest:gmatch("([%d%.]+)(%a+)") do
    if not units[unit] then complain("'" .. rest .. "' is no duration: write 5, \"250ms\", \"5s\", \"1h30m\", \"2d\"") end
    total = total + tonumber(number) * units[unit]
  end
  return total
end

-- What a mock says: a plain value, a function of the call's arguments, or one of the above.
local function say(mock, arguments, calls)
  if type(mock) == "function" then return mock(table.unpack(arguments)), 0 end
  if type(mock) ~= "table" then return mock, 0 end
  if mock[Later] then
    local value = say(mock.answer, arguments, calls)
    return value, seconds_of(mock[Later])
  end
  if mock[Series] then return say(mock[Series][math.min(calls, #mock[Series])], arguments, calls) end
  return mock, 0
end

local function answers_of(mocks)
  local calls = {}
  return function(name, arguments)
    calls[name] = (calls[name] or 0) + 1
    return say(mocks[name], arguments, calls[name])
  end
end

-- ---- runs

local known = { mock = true, signals = true, id = true, workflow = true, as = true }

local function order_of(name, input, options)
  for option in pairs(options) do
    if not known[option] then complain("unknown option '" .. tostring(option) .. "' of a test run: valid are as, id, mock, signals, workflow") end
  end
  local signals = {}
  for i, planned in ipairs(options.signals or {}) do
    if type(planned.name) ~= "string" then complain("signals[" .. i .. "] needs a name: { name = \"approved\", value = .., at = \"1h\" }") end
    signals[i] = { name = planned.name, value = planned.value, at = seconds_of(planned.at or 0) }
  end
  local order = { name = name, input = input, signals = json.array(signals), id = options.id, workflow = options.workflow }
  if type(name) == "table" then order.name, order.text, order.directory = name.name, name.text, name.directory end
  return order
end

-- A script that is written in the test: t.run(t.script [[ ... ]]).
function t.script(text, name) return { name = name or "script", text = text } end

local function begin(name, input, options)
  local mocks = options.mock or {}
  if type(mocks) == "function" then mocks = mocks() end   -- fresh ones for each run
  local names = {}
  for mocked in pairs(mocks) do names[mocked] = true end
  return trial.start(order_of(name, input, options), names, answers_of(mocks))
end

local function refuse_unmocked(view)
  if #view.unmocked > 0 then complain("not mocked: " .. table.concat(view.unmocked, ", ")) end
end

local Run = {}
Run.__index = function(run, name)
  if Run[name] then return Run[name] end
  local view = trial.view(run.handle)
  refuse_unmocked(view)
  return view[name]
end

-- Moves the run by so much virtual time.
function Run:advance(duration) trial.advance(self.handle, duration) return self end
function Run:signal(name, value) trial.signal(self.handle, name, value) return self end
-- Until it is over, or nothing is left that could move it.
function Run:finish() trial.run_on(self.handle) return self end
-- The process dies here, at once; another one goes on.
function Run:crash() trial.live(self.handle) trial.advance(self.handle, 0) return self end

-- Begins a run and lets it go as far as it comes without time passing.
function t.start(name, input, options)
  local run = setmetatable({ handle = begin(name, input, options or {}) }, Run)
  trial.live(run.handle)
  trial.advance(run.handle, 0)
  t.newest = run
  return run
end

-- Moves the run that was begun last.
function t.advance(duration)
  if not t.newest then complain("t.advance: no run was begun: local run = t.start(\"order\", input)") end
  return t.newest:advance(duration)
end

-- Runs a workflow until it is over, or nothing is left that could move it; gives what there is to see of it.
function t.run(name, input, options)
  local handle = begin(name, input, options or {})
  trial.live(handle)
  trial.run_on(handle)
  local view = trial.view(handle)
  refuse_unmocked(view)
  return view
end

-- ---- assertions

function t.equal(value, expected, what)
  local found = difference(value, expected, what or "the value")
  if found then complain(found) end
end

function t.ok(value, message)
  if not value then complain(message or "expected a true value, got " .. text_of(value)) end
end

-- fn raises an error with this code, or whose message has this text; the error is given back.
function t.raises(fn, expected)
  local ok, raised = pcall(fn)
  if ok then complain("expected an error, and there was none") end
  local code = type(raised) == "table" and raised.code or nil
  if expected and code ~= expected and not tostring(raised):find(expected, 1, true) then
    complain("the error is " .. text_of(tostring(raised)) .. ", expected " .. text_of(expected))
  end
  return raised
end

local function matches(event, wanted)
  return event == wanted or event:match("^%S+") == wanted
end

-- The run's events have these: "step.after charge", or the point alone. { in_order = true }: one after the other.
function t.events(run, wanted, options)
  local events, from = run.events, 1
  for _, want in ipairs(wanted) do
    local found
    for i = from, #events do
      if matches(events[i], want) then found = i break end
    end
    if not found then
      local order = options and options.in_order and from > 1 and " after '" .. events[from - 1] .. "'" or ""
      complain("no event '" .. want .. "'" .. order .. "; there are: " .. table.concat(events, ", "))
    end
    if options and options.in_order then from = found + 1 end
  end
end

-- ---- tests

local function report(name, ok, problem)
  local message = nil
  if not ok then
    message = tostring(problem)
    if type(problem) == "table" and problem.code == "assertion" then message = problem.message end
    if type(problem) == "table" and problem.traceback then message = message .. "\n" .. problem.traceback end
  end
  trial.report { suite = table.concat(suites, " / "), name = name, outcome = ok and "passed" or "failed", message = message }
end

function t.describe(name, fn)
  table.insert(suites, name)
  local ok, problem = pcall(fn)
  if not ok then report("(the suite itself)", false, problem) end
  table.remove(suites)
end

function t.it(name, fn)
  local ok, problem = xpcall(fn, function(problem)
    if type(problem) == "table" then return problem end
    return { code = "assertion", message = tostring(problem), traceback = debug.traceback(nil, 2) }
  end)
  trial.clear()
  t.newest = nil
  report(name, ok, problem)
end

function t.skip(name)
  trial.report { suite = table.concat(suites, " / "), name = name, outcome = "skipped" }
end

-- ---- a crash at every record

local function short(name) return type(name) == "table" and name.name or name end

local function outcome_of(view)
  local error_ = view.error
  if type(error_) == "table" then error_ = { code = error_.code, message = error_.message } end
  return { status = view.status, output = view.output, error = error_ }
end

local function undone(view)
  local names = {}
  for _, record in ipairs(view.records) do
    if record.kind == "compensation_done" then table.insert(names, record.name) end
  end
  return names
end

-- One crash: after `cut` records the process is gone, a new one goes on. Gives what is wrong, or nil.
local function problem_of_crash(cut, name, input, options, straight)
  local handle = begin(name, input, options)
  trial.live(handle, cut)
  trial.run_on(handle)
  trial.live(handle)
  trial.run_on(handle)
  local view = trial.view(handle)
  trial.clear()
  refuse_unmocked(view)
  if #view.repeated > 0 then return "ran again though its result was recorded: " .. table.concat(view.repeated, ", ") end
  return difference(outcome_of(view), outcome_of(straight), "the run")
    or difference(undone(view), undone(straight), "what was undone")
end

-- The workflow gives the same outcome, undoes the same and repeats nothing that was recorded, wherever its process dies.
-- `as` is what the report calls it.
function t.survives_crashes(name, input, options)
  options = options or {}
  t.it((options.as or short(name)) .. " survives a crash at every record", function()
    local straight = t.run(name, input, options)
    trial.clear()
    if straight.status == "refused" then complain("it does not start: " .. tostring(straight.error.message)) end
    for cut = 1, #straight.records - 1 do
      local problem = problem_of_crash(cut, name, input, options, straight)
      if problem then
        local record = straight.records[cut]
        complain(string.format("a crash after record %d (%s %s) is not survived: %s", cut, record.kind, record.name, problem))
      end
    end
  end)
end

return t
