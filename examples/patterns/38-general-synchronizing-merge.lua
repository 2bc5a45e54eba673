-- Pattern 38: General Synchronizing Merge. Goes on when each branch has arrived or can't arrive any more, loops included.
-- construct: `concurrent { ..., join = "quiescent" }`
-- trace: draft layout review draft layout pictures review print
local function takes(n) return function() sleep(n * 0.05) end end

-- After the first round layout has arrived and pictures were skipped, yet the review, which still goes on, may lead back
-- to both of them: so `print` waits for it. In the second round pictures arrive.
return concurrent {
  { "draft", run = function(_, _, flow) sleep(0.05) return (flow.results.draft or 0) + 1 end },
  { "layout", needs = { "draft" }, run = takes(1) },
  { "pictures", needs = { "draft" }, when = function(needs) return needs.draft == 2 end, run = takes(2) },
  { "review", needs = { "draft" }, run = function(needs) sleep(0.2) return needs.draft end,
    back = { "draft", when = function(seen) return seen < 2 end } },
  { "print", needs = { "layout", "pictures" }, join = "quiescent", run = takes(1) },
  outputs = function(_, flow) return table.concat(flow.order, " ") end,
}
