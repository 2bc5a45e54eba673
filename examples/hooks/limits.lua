-- A hook file that vetoes: nobody orders more than ten of a thing at once, whatever the workflow thinks of it.
--
--   perilune run examples/order.lua --hooks examples/hooks/limits.lua --input '{"quantity": 11}'
-- SPDX-License-Identifier: MIT

local k_most = 10

on("step.before", function(e)
  if e.run.workflow == "order" and e.step == "charge" and e.run.input.quantity > k_most then
    return deny("more than " .. k_most .. " at once is for a person to decide")
  end
end)
