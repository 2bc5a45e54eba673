-- Data pattern 34: Task Precondition - Data Existence. A task begins only if the data is there; else it is passed by.
-- construct: `when` of a step (of a whole run: `input` of `workflow`)
-- trace: mail no-letter
local customer = { email = "ana@example.org" }
local trace = {}

local function tell(what, address)
  local told = step(what, { when = address ~= nil }, function() return what end)
  trace[#trace + 1] = told or "no-" .. what
end
tell("mail", customer.email)
tell("letter", customer.street)

return table.concat(trace, " ")
