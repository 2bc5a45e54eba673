-- sequential { ... } and concurrent { ... }: workflows made of a table of named steps. What such a table says is read and
-- checked where it is written; what it gives is an ordinary workflow, whose steps are ordinary durable steps.
--
--   { "name", run = fn | shell = argv | http = request | file = { "copy", ... } | assert = fn | sleep = duration |
--     ask = question | workflow = name, needs = { "other", ... }, when =, join =, back =, expect =, ... }
--
-- concurrent: one task, the driver, begins each step as a member of a group when all that it needs has reported, as done or
-- as skipped, and hears of its end over a channel. sequential: the steps one after the other, in the task that calls it.
-- `back` puts the flow back to an earlier step: that and all that comes after it is done again, and whatever of it is
-- under way ends first and does not count.
-- SPDX-License-Identifier: MIT

local read_plan = require "perilune.steps_plan"

local function ignore() end

-- What a step is told, for a function of its needs what that gives.
local function said(what, inputs, flow)
  if type(what) == "function" then return what(inputs, flow) end
  return what
end

-- What is done in the body of the step, by kind.
local bodies = {
  shell = function(command)
    if type(command) == "string" then return shell.sh(command) end
    return shell.run(command)
  end,
  http = function(request)
    if type(request) == "string" then return http.get(request) end
    return http.request(request)
  end,
  file = function(words, s)
    local name = type(words) == "table" and words[1]
    if type(name) ~= "string" then
      fail(s.where .. ": file must give a list such as { \"copy\", \"a.txt\", \"b.txt\" }", { code = "usage", retry = false })
    end
    local fn = file[name]
    if type(fn) ~= "function" then fail(("%s: file has no function '%s'"):format(s.where, name), { code = "usage", retry = false }) end
    return fn(table.unpack(words, 2))
  end,
  assert = function(holds, s)
    if not holds then fail(s.message or ("step '%s': what it asserts does not hold"):format(s.name), { code = "assert", retry = false }) end
    return true
  end,
}

-- Calls of the run, which outlive the process: they come before the step, and it records what they gave.
local calls = {
  sleep = function(duration) sleep(duration) end,
  ask = function(question)
    if type(question) ~= "table" then return (ask(question)) end
    local options = {}
    for key, value in pairs(question) do
      if key ~= 1 then options[key] = value end
    end
    return (ask(question[1], options))
  end,
  workflow = function(name, s, inputs, flow)
    local input = said(s.input, inputs, flow)
    if input == nil then input = {} end
    return call(name, input)
  end,
}

-- What a step does, as the body of a durable step.
local function body_of(s, inputs, flow)
  local what = s.what
  if s.kind == "run" then return function(attempt) return what(inputs, attempt, flow) end end
  local body = bodies[s.kind]
  if body then return function() return body(said(what, inputs, flow), s) end end
  local given = calls[s.kind](said(what, inputs, flow), s, inputs, flow)
  return function() return given end
end

-- The results of the steps that it needs, by name, and whether there is a way that led to it.
local function inputs_of(s, flow)
  if s.takes_all then return flow.results, true end
  local inputs, led = {}, #s.needs == 0
  for _, need in ipairs(s.needs) do
    inputs[need.name] = flow.results[need.name]
    led = led or not flow.skipped[need.name]
  end
  return inputs, led
end

-- Does a step or skips it. Gives true when the flow goes back from here.
local function perform(s, flow)
  local inputs, go = inputs_of(s, flow)
  if go and s.when ~= nil then
    go = s.when
    if type(go) == "function" then go = go(inputs, flow) end
  end
  if not go then
    step(s.name, { when = false }, ignore)
    flow.results[s.name], flow.skipped[s.name] = nil, true
    return false
  end
  local result = step(s.name, s.options, body_of(s, inputs, flow))
  flow.results[s.name], flow.skipped[s.name] = result, nil
  table.insert(flow.order, s.name)
  return s.back ~= nil and s.back.when(result, flow) and true or false
end

-- Counts the ways back of a step, and refuses one too many.
local function count_back(s, counts)
  counts[s.name] = (counts[s.name] or 0) + 1
  if s.back.max and counts[s.name] > s.back.max then
    fail(("step '%s' went back to '%s' %d times, and that is its max"):format(s.name, s.back.to.name, s.back.max),
      { code = "max_reached", retry = false })
  end
end

local function run_in_order(plan, flow)
  local counts, at = {}, 1
  while plan.steps[at] do
    local s = plan.steps[at]
    at = at + 1
    if perform(s, flow) then
      count_back(s, counts)
      at = s.back.to.place
    end
  end
end

-- ---- concurrent. Of each step, by its place: how many of its needs have not reported, whether it has, in which round it
-- is (a way back begins a new one), whether it is under way, and whether it is to begin again when it ends.

local Driver = {}
Driver.__index = Driver

local function new_driver(plan, flow)
  local self = { plan = plan, flow = flow, left = {}, reported = {}, round = {}, active = {}, again = {}, held = {} }
  self.live, self.counts = 0, {}
  self.slots, self.ended = group { limit = plan.limit }, channel(#plan.steps)
  for i, s in ipairs(plan.steps) do self.left[i], self.round[i] = #s.needs, 1 end
  return setmetatable(self, Driver)
end

function Driver:start(s)
  local round, flow = self.round[s.place], self.flow
  self.active[s.place], self.live = true, self.live + 1
  self.slots:add(function()
    local report = { s, round, true, false }
    if self.round[s.place] == round then   -- else the flow went back while it waited for a slot
      report[3], report[4] = pcall(perform, s, flow)
    end
    self.ended:put(report)
  end)
end

function Driver:begin(s)
  if self.active[s.place] then self.again[s.place] = true
  elseif s.leads then table.insert(self.held, s)
  else self:start(s) end
end

-- A quiescent step waits while a step that leads to it is under way, or waits itself for something else.
function Driver:may_be_reached(s)
  for _, other in ipairs(s.leads) do
    if self.active[other.place] then return true end
  end
  for _, other in ipairs(self.held) do
    if s.is_led_by[other.place] and not other.is_led_by[s.place] then return true end
  end
  return false
end

function Driver:release()
  local i = 1
  while i <= #self.held do
    local s = self.held[i]
    if self:may_be_reached(s) then
      i = i + 1
    else
      table.remove(self.held, i)
      self:start(s)
      i = 1   -- what it held back may go now, what it leads to must wait
    end
  end
end

function Driver:report(s)
  self.reported[s.place] = true
  for _, other in ipairs(s.opens) do
    self.left[other.place] = self.left[other.place] - 1
    if self.left[other.place] == 0 then self:begin(other) end
  end
end

function Driver:go_back(s)
  count_back(s, self.counts)
  local again = {}
  for _, other in ipairs(s.back.redo) do
    local i = other.place
    again[i] = true
    self.round[i], self.reported[i], self.again[i] = self.round[i] + 1, nil, nil
  end
  for _, other in ipairs(s.back.redo) do
    local left = 0
    for _, need in ipairs(other.needs) do
      if not self.reported[need.place] then left = left + 1 end
    end
    self.left[other.place] = left
  end
  for i = #self.held, 1, -1 do
    if again[self.held[i].place] then table.remove(self.held, i) end
  end
  if self.left[s.back.to.place] == 0 then self:begin(s.back.to) end
end

function Driver:hear(s, round, ok, back)
  self.active[s.place], self.live = nil, self.live - 1
  if not ok then   -- `back` is the error
    self.slots:cancel()
    self.slots:wait { need = "now" }
    error(back, 0)
  end
  if self.round[s.place] == round then
    if back then self:go_back(s) else self:report(s) end
  elseif self.again[s.place] then
    self.again[s.place] = nil
    self:begin(s)
  end
end

local function run_side_by_side(plan, flow)
  local driver = new_driver(plan, flow)
  for _, s in ipairs(plan.steps) do
    if #s.needs == 0 then driver:begin(s) end
  end
  driver:release()
  while driver.live > 0 do
    driver:hear(table.unpack(driver.ended:take(), 1, 4))
    driver:release()
  end
  driver.slots:close()
end

-- native: what the host lends for the checks; see steps_plan.lua.
return function(native)
  local function maker(call, run)
    return function(given)
      local plan = read_plan(native, call, given)
      plan.workflow.run = function(input)
        local flow = { input = input, results = {}, skipped = {}, order = {} }
        run(plan, flow)
        if plan.outputs then return plan.outputs(flow.results, flow) end
        return flow.results
      end
      return workflow(plan.workflow)
    end
  end
  return { sequential = maker("sequential", run_in_order), concurrent = maker("concurrent", run_side_by_side) }
end
