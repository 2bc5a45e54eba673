-- Reads and checks the table of a sequential { ... } or concurrent { ... }: every complaint comes here, where the table is
-- written, and names the step. What is wrong with the value of an option of `step` itself, `step` says.
-- SPDX-License-Identifier: MIT

local flow_options = { "name", "version", "description", "input", "output", "timeout", "on_error", "requires", "preflight",
                       "postflight", "outputs" }
local step_options = { "run", "shell", "http", "file", "assert", "sleep", "ask", "workflow", "needs", "when", "back",
                       "input", "message", "expect", "retry", "undo", "timeout", "once" }
local passed_on = { "expect", "retry", "undo", "timeout", "once" }   -- options of step()
local own = { outputs = true, limit = true, join = true }            -- options that are none of workflow { }
local kinds = { "run", "shell", "http", "file", "assert", "sleep", "ask", "workflow" }
local kind_names = "run, shell, http, file, assert, sleep, ask or workflow"
local kind_types = {
  run = "function", shell = "string table function", http = "string table function", file = "table function",
  assert = "boolean function", sleep = "string number function", ask = "string table function", workflow = "string function",
}
-- Calls of the run, that come before the step which records what they gave: their attempts are their own business.
local of_the_run = { sleep = true, ask = true, workflow = true }
local of_attempts = { "retry", "timeout", "once" }
local only_with = { input = "workflow", message = "assert" }
local kind_hint = {
  run = "a function, as in run = function(needs, attempt) ... end",
  shell = "a command such as { \"make\", \"-j2\" } or \"a | b\", or a function that gives one",
  http = "a URL, or a table as for http.request, or a function that gives one",
  file = "a list such as { \"copy\", \"a.txt\", \"b.txt\" }: the function of file and what it is given; or a function that gives one",
  assert = "a function of (needs, flow) that gives true or false",
  ask = "a question, or { \"question\", choices = { ... }, ... } as for ask, or a function that gives one",
  workflow = "the name of a workflow, or a function of (needs, flow) that gives one",
  sleep = "a duration such as \"5s\", or a function that gives one",
}
local not_built = {}
for _, name in ipairs { "llm", "agent", "sql", "emit", "branch", "loop", "parallel",
                        "accept", "cache", "artifacts", "profile" } do
  not_built[name] = true
end

local function usage(text, ...)
  fail(text:format(...), { code = "usage", retry = false })
end

local function contains(list, word)
  for _, one in ipairs(list) do
    if one == word then return true end
  end
  return false
end

local function with(list, ...)
  local longer = table.pack(table.unpack(list))
  for _, word in ipairs { ... } do table.insert(longer, word) end
  return longer
end

local function check_kind(where, given)
  local kind
  for _, one in ipairs(kinds) do
    if given[one] ~= nil then
      if kind then usage("%s has both %s and %s: a step does one thing", where, kind, one) end
      kind = one
    end
  end
  if not kind then usage("%s does nothing: give it %s", where, kind_names) end
  if not kind_types[kind]:find(type(given[kind]), 1, true) then
    usage("%s: %s must be %s, not a %s", where, kind, kind_hint[kind], type(given[kind]))
  end
  for option, owner in pairs(only_with) do
    if given[option] ~= nil and kind ~= owner then usage("%s: %s goes with %s, not with %s", where, option, owner, kind) end
  end
  if of_the_run[kind] and kind ~= "sleep" then
    for _, option in ipairs(of_attempts) do
      if given[option] ~= nil then
        usage("%s: %s has no meaning with %s%s", where, option, kind,
          kind == "ask" and option == "timeout" and ": write ask = { \"question\", timeout = ... }" or "")
      end
    end
  end
  return kind
end

local function check_join(where, join)
  if join ~= nil and join ~= "all" and join ~= "quiescent" then
    usage("%s: join must be \"all\" or \"quiescent\", not %s", where, tostring(join))
  end
  return join
end

-- One step, its needs still by name.
local function read_step(native, call, place, given, known)
  if type(given) ~= "table" then
    usage("%s: step %d must be a table such as { \"name\", run = fn }, not a %s", call, place, type(given))
  end
  local name = given[1]
  if type(name) ~= "string" or name == "" then
    usage("%s: step %d has no name: write { \"name\", run = function(needs) ... end }", call, place)
  end
  local where = ("%s: step '%s'"):format(call, name)
  for key in pairs(given) do
    if key ~= 1 then
      if type(key) ~= "string" then usage("%s has something under %s: its options have names", where, tostring(key)) end
      if not_built[key] then usage("%s: %s is not built yet; a step has %s", where, key, kind_names) end
      if not contains(known, key) then usage("%s: %s", call, native.unknown("option", key, "step '" .. name .. "'", known)) end
    end
  end
  local s = { name = name, place = place, where = where, needs = {}, opens = {}, options = {} }
  s.kind = check_kind(where, given)
  s.what, s.when, s.input, s.message = given[s.kind], given.when, given.input, given.message
  if s.message ~= nil and type(s.message) ~= "string" then
    usage("%s: message must be a string, not a %s", where, type(s.message))
  end
  if s.kind == "sleep" and type(s.what) ~= "function" then native.duration(s.what, where .. ": sleep") end
  if given.timeout ~= nil then native.duration(given.timeout, where .. ": timeout") end
  if s.when ~= nil and type(s.when) ~= "function" and type(s.when) ~= "boolean" then
    usage("%s: when must be true, false or a function of its needs, not a %s", where, type(s.when))
  end
  for _, option in ipairs(passed_on) do s.options[option] = given[option] end
  return s
end

local function link_needs(native, call, s, given, by_name, names)
  if given == nil then
    s.takes_all = call == "sequential"
    return
  end
  if type(given) ~= "table" then usage("%s: needs must be a list of names, not a %s", s.where, type(given)) end
  for i, word in ipairs(given) do
    if type(word) ~= "string" then usage("%s: need %d must be the name of a step, not a %s", s.where, i, type(word)) end
    local need = by_name[word]
    if not need then usage("%s: %s", call, native.unknown("need", word, "step '" .. s.name .. "'", names)) end
    if contains(s.needs, need) then usage("%s needs '%s' twice", s.where, word) end
    if call == "sequential" and need.place >= s.place then
      usage("%s needs '%s', which does not come before it", s.where, word)
    end
    table.insert(s.needs, need)
    table.insert(need.opens, s)
  end
  for key in pairs(given) do
    if math.type(key) ~= "integer" then usage("%s: needs is a list, and has something under %s", s.where, tostring(key)) end
  end
end

-- Steps that wait for each other: takes away what can run, and walks along what is left.
local function refuse_cycle(call, steps)
  local left, free = {}, {}
  for i, s in ipairs(steps) do
    left[i] = #s.needs
    if left[i] == 0 then table.insert(free, s) end
  end
  local at = 1
  while free[at] do
    for _, other in ipairs(free[at].opens) do
      left[other.place] = left[other.place] - 1
      if left[other.place] == 0 then table.insert(free, other) end
    end
    at = at + 1
  end
  if #free == #steps then return end
  local path, seen, s = {}, {}, nil
  for i, one in ipairs(steps) do
    if left[i] > 0 then s = one break end
  end
  while not seen[s.place] do
    seen[s.place] = #path + 1
    table.insert(path, s)
    for _, need in ipairs(s.needs) do
      if left[need.place] > 0 then s = need break end
    end
  end
  local told = {}
  for i = seen[s.place], #path do
    table.insert(told, ("'%s' needs '%s'"):format(path[i].name, (path[i + 1] or s).name))
  end
  usage("%s: the needs go in a circle: %s", call, table.concat(told, ", "))
end

-- The steps that can be reached from `from` along next(step), itself included, by place.
local function reach(from, next)
  local found, list = { [from.place] = true }, { from }
  local at = 1
  while list[at] do
    for _, other in ipairs(next(list[at])) do
      if not found[other.place] then
        found[other.place] = true
        table.insert(list, other)
      end
    end
    at = at + 1
  end
  return list, found
end

local function comes_after(call, s, target)
  if call == "sequential" then return target.place <= s.place end
  local _, found = reach(target, function(one) return one.opens end)
  return found[s.place]
end

local back_options = { "when", "max" }

local function read_back(native, call, s, given, by_name, names)
  local where = s.where .. ": back"
  if type(given) ~= "table" or type(given[1]) ~= "string" then
    usage("%s must be { \"step\", when = function(result) ... end, max = n }", where)
  end
  for key in pairs(given) do
    if key ~= 1 and not contains(back_options, key) then
      usage("%s: %s", call, native.unknown("option", tostring(key), "back of step '" .. s.name .. "'", back_options))
    end
  end
  local target = by_name[given[1]]
  if not target then usage("%s: %s", call, native.unknown("step", given[1], "back of step '" .. s.name .. "'", names)) end
  if not comes_after(call, s, target) then
    usage("%s leads to '%s', after which '%s' does not come", where, target.name, s.name)
  end
  if type(given.when) ~= "function" then usage("%s: when must be a function of the step's result", where) end
  if given.max ~= nil and (math.type(given.max) ~= "integer" or given.max < 1) then
    usage("%s: max must be an integer of at least 1", where)
  end
  s.back = { to = target, when = given.when, max = given.max }
end

-- For a quiescent step: who can still lead to it, by needs or by a way back.
local function find_leads(steps, s)
  local backs = {}
  for _, one in ipairs(steps) do
    if one.back then
      backs[one.back.to.place] = backs[one.back.to.place] or {}
      table.insert(backs[one.back.to.place], one)
    end
  end
  s.leads, s.is_led_by = reach(s, function(one)
    local before = backs[one.place]
    return before and with(one.needs, table.unpack(before)) or one.needs
  end)
end

local function read_options(native, call, given)
  if type(given) ~= "table" then
    usage("%s: give it a table of steps, as in %s { { \"name\", run = fn }, ... }", call, call)
  end
  local known = call == "concurrent" and with(flow_options, "limit", "join") or flow_options
  local plan = { steps = {}, workflow = {} }
  for key, value in pairs(given) do
    if type(key) == "string" then
      if not contains(known, key) then usage("%s", native.unknown("option", key, call, known)) end
      if not own[key] then plan.workflow[key] = value end
    end
  end
  plan.limit, plan.outputs = given.limit, given.outputs
  if plan.limit ~= nil and (math.type(plan.limit) ~= "integer" or plan.limit < 1) then
    usage("%s: limit must be an integer of at least 1, not %s", call, tostring(plan.limit))
  end
  if plan.outputs ~= nil and type(plan.outputs) ~= "function" then
    usage("%s: outputs must be a function of the steps' results, not a %s", call, type(plan.outputs))
  end
  check_join(call, given.join)
  return plan
end

-- native.unknown(what, word, where, valid) gives the text that names the nearest of `valid`; native.duration(value, what)
-- raises when it is none. Gives { steps, workflow = what workflow { } takes, limit, outputs }.
return function(native, call, given)
  local plan = read_options(native, call, given)
  local by_name, names = {}, {}
  local known = call == "concurrent" and with(step_options, "join") or step_options
  for place, one in ipairs(given) do
    local s = read_step(native, call, place, one, known)
    local twin = by_name[s.name]
    if twin then usage("%s: two steps are called '%s': steps %d and %d", call, s.name, twin.place, place) end
    plan.steps[place], by_name[s.name], names[place] = s, s, s.name
  end
  for key in pairs(given) do
    if type(key) ~= "string" and not plan.steps[key] then usage("%s: there is a gap before step %s", call, tostring(key)) end
  end
  if #plan.steps == 0 then usage("%s: it has no steps", call) end
  for place, s in ipairs(plan.steps) do link_needs(native, call, s, given[place].needs, by_name, names) end
  refuse_cycle(call, plan.steps)
  for place, s in ipairs(plan.steps) do
    if given[place].back ~= nil then read_back(native, call, s, given[place].back, by_name, names) end
  end
  for place, s in ipairs(plan.steps) do
    if s.back then s.back.redo = reach(s.back.to, function(one) return one.opens end) end
    local join = check_join(s.where, given[place].join) or given.join
    if join == "quiescent" and #s.needs > 0 then find_leads(plan.steps, s) end
  end
  return plan
end
