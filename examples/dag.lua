-- A graph of tasks, as wide as it allows: each task is a durable step, begins when its last parent has ended and a slot
-- is free, and is never done again once it is recorded. Reads WfFormat (https://wfcommons.org), the format in which
-- workflows of the sciences are published: a task takes its recorded run time, divided by `speedup`.
--
--   perilune run examples/dag.lua
--   perilune run examples/dag.lua --input '{"file": "montage.json", "speedup": 1000, "limit": 64}'
-- SPDX-License-Identifier: MIT

local dag = workflow {
  name        = "dag",
  description = "Runs the tasks of a WfFormat file, parents before children.",
  input       = {
    file    = "string?", -- without one: the small graph below
    speedup = { type = "number", exclusiveMinimum = 0, default = 10 },
    limit   = { type = "integer", minimum = 1, default = 8 },
    ledger  = "string?", -- a file to which each task appends a line, `id attempt key`
  },
  output      = {
    count = "integer", limit = "integer", makespan = "number", critical_path = "number", recorded_seconds = "number",
  },
}

-- Recorded seconds and children, as in a file.
local sample = {
  { id = "fetch",     seconds = 1.2, children = { "unpack" } },
  { id = "unpack",    seconds = 0.6, children = { "align_1", "align_2", "align_3", "index" } },
  { id = "align_1",   seconds = 2.1, children = { "merge" } },
  { id = "align_2",   seconds = 2.8, children = { "merge" } },
  { id = "align_3",   seconds = 1.7, children = { "merge" } },
  { id = "index",     seconds = 1.1, children = { "report" } },
  { id = "merge",     seconds = 0.9, children = { "report", "archive" } },
  { id = "report",    seconds = 0.5, children = {} },
  { id = "archive",   seconds = 0.3, children = {} },
}

-- A WfFormat file as a list like `sample`: that alone is recorded, not the megabytes of the file.
local function read_graph(path)
  local content = json.decode(file.read(path)).workflow
  local seconds, tasks = {}, {}
  for _, task in ipairs(content.execution.tasks) do seconds[task.id] = task.runtimeInSeconds end
  for i, task in ipairs(content.specification.tasks) do
    if not seconds[task.id] then fail("task " .. task.id .. " has no run time", { retry = false }) end
    tasks[i] = { id = task.id, seconds = seconds[task.id], children = task.children or {} }
  end
  return tasks
end

-- By id: { id, seconds, children = { node... }, parents = { node... } }, and the ids in the order of the file.
local function link(tasks)
  local nodes = {}
  for _, task in ipairs(tasks) do
    assert(not nodes[task.id], "two tasks are called " .. task.id)
    nodes[task.id] = { id = task.id, seconds = task.seconds, children = {}, parents = {} }
  end
  for _, task in ipairs(tasks) do
    for i, id in ipairs(task.children) do
      local child = assert(nodes[id], task.id .. " has a child that is no task: " .. id)
      nodes[task.id].children[i] = child
      table.insert(child.parents, nodes[task.id])
    end
  end
  return nodes
end

-- Parents before children; what lies on a circle never gets its turn.
local function sorted(tasks, nodes)
  local order, open = {}, {}
  for _, task in ipairs(tasks) do
    open[task.id] = #nodes[task.id].parents
    if open[task.id] == 0 then table.insert(order, nodes[task.id]) end
  end
  local at = 1
  while order[at] do
    for _, child in ipairs(order[at].children) do
      open[child.id] = open[child.id] - 1
      if open[child.id] == 0 then table.insert(order, child) end
    end
    at = at + 1
  end
  assert(#order == #tasks, "the graph has a circle")
  return order
end

-- Recorded seconds along the longest chain: no number of slots makes the whole faster than that.
local function critical_path(order)
  local longest, finish = 0, {}
  for _, node in ipairs(order) do
    local ready = 0
    for _, parent in ipairs(node.parents) do ready = math.max(ready, finish[parent.id]) end
    finish[node.id] = ready + node.seconds
    longest = math.max(longest, finish[node.id])
  end
  return longest
end

local function work(node, input, attempt)
  sleep(node.seconds / input.speedup)
  if input.ledger then file.append(input.ledger, node.id .. " " .. attempt.number .. " " .. attempt.key .. "\n") end
end

-- The graph drives itself: whoever ends last among the parents of a task adds it to the group, which begins it at once
-- if a slot is free and else as soon as one is.
local function run_all(order, input)
  local slots = group { limit = input.limit }
  local ended, count = {}, 0
  local function add(node)
    slots:add(function()
      for _, parent in ipairs(node.parents) do assert(ended[parent.id], node.id .. " began before " .. parent.id) end
      step(node.id, function(attempt) work(node, input, attempt) end)
      ended[node.id], count = true, count + 1
      for _, child in ipairs(node.children) do
        child.waits_for = child.waits_for - 1
        if child.waits_for == 0 then add(child) end
      end
      if count == #order then slots:close() end
    end)
  end
  for _, node in ipairs(order) do node.waits_for = #node.parents end
  for _, node in ipairs(order) do
    if #node.parents == 0 then add(node) end
  end
  if #order == 0 then slots:close() end
  slots:wait()
  return count
end

local function rounded(seconds) return math.floor(seconds * 1000 + 0.5) / 1000 end

function dag.run(input)
  local tasks = sample
  if input.file then tasks = step("read the graph", function() return read_graph(input.file) end) end
  local order = sorted(tasks, link(tasks))
  local recorded = 0
  for _, node in ipairs(order) do recorded = recorded + node.seconds end

  local began = now()
  local count = run_all(order, input)
  return {
    count = count,
    limit = input.limit,
    makespan = rounded(now() - began), -- seconds of this run, interruptions included
    critical_path = rounded(critical_path(order)),
    recorded_seconds = rounded(recorded),
  }
end

return dag
