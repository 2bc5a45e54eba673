-- Pattern 37: Local Synchronizing Merge. Waits for those branches that were taken; the others say so themselves.
-- construct: `concurrent`: a skipped step says so to those that need it
-- trace: ask mail phone merge
local function takes(n) return function() sleep(n * 0.05) end end
local wanted = { mail = true, letter = false, phone = true }

return concurrent {
  { "ask", run = takes(1) },
  { "mail", needs = { "ask" }, when = wanted.mail, run = takes(1) },
  { "letter", needs = { "ask" }, when = wanted.letter, run = takes(1) },
  { "stamp", needs = { "letter" }, run = takes(1) },   -- no way leads here: it is skipped as well, and says so
  { "phone", needs = { "ask" }, when = wanted.phone, run = takes(3) },
  { "merge", needs = { "mail", "stamp", "phone" }, run = takes(1) },
  outputs = function(_, flow) return table.concat(flow.order, " ") end,
}
