-- Business rules of a purchase: they have names and messages of their own, stand apart from the steps, and the report of a run says
-- which were checked and which were broken. One that stands before a step denies it, one that stands after it warns.
--
--   perilune rules examples/spending.lua
--   perilune run examples/spending.lua --input '{"total": 700}'
--   perilune show --report
-- SPDX-License-Identifier: MIT

local spending = workflow {
  name  = "spending",
  input = { total = { type = "integer", default = 120 }, by = { type = "string", default = "ana" } },
  rules = {
    { "max spend", { on = "step.before", step = "charge" },
      function(e) return e.input.total <= 500, ("%d is over the budget of 500"):format(e.input.total) end, "over budget" },
    { "four eyes", { on = "step.before", step = "charge" },
      function(e) return e.run.input.by ~= e.input.approved_by end, "nobody approves what they buy themselves" },
    { "fair fee", { on = "step.after", step = "charge" },
      function(e) return e.result.fee * 20 <= e.result.charged end, "the fee is more than a twentieth" },
  },
}

function spending.run(input)
  local approved_by = step("approve", function() return input.by == "ana" and "boris" or "ana" end)
  local receipt = step("charge", { input = { total = input.total, approved_by = approved_by } }, function(_, order)
    return { charged = order.total, fee = 5 }
  end)
  return { charged = receipt.charged, approved_by = approved_by }
end

return spending
