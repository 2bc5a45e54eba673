-- A payroll behind gates: what it needs of the machine is checked before the run begins, the funds before the first payment,
-- each receipt as it comes, and the sum before it counts as done. A gate that does not hold fails the run and says why; what
-- was paid by then is taken back.
--
--   perilune run examples/payroll.lua
--   perilune run examples/payroll.lua --input '{"funds": 10}'     (preflight fails: nothing is paid)
--   perilune run examples/payroll.lua --input '{"fee": 1}'        (postflight fails: all is taken back)
--   perilune show --report
-- SPDX-License-Identifier: MIT

local function due(people)
  local sum = 0
  for _, person in ipairs(people) do sum = sum + person.pay end
  return sum
end

-- The bank, in place of a service.
local function bank(verb, amount)
  return math.tointeger(shell.run({ "printf", "%d", tostring(amount), check = true }).stdout) or fail("the bank did not " .. verb)
end

local payroll = workflow {
  name        = "payroll",
  description = "Pays everybody, or nobody.",
  input       = {
    funds  = { type = "integer", default = 1000 },
    fee    = { type = "integer", default = 0, description = "what the bank keeps of each payment" },
    people = {
      type = "array",
      items = { type = "object", properties = { name = "string", pay = { type = "integer", minimum = 1 } } },
      default = { { name = "ana", pay = 300 }, { name = "boris", pay = 200 } },
    },
  },
  output      = { paid = "integer", due = "integer" },
  requires    = { commands = { "printf" }, env = { "PATH" } },

  preflight   = function(input)
    local left, needed = bank("say", input.funds), due(input.people)
    return needed <= left, ("the account holds %d, and %d are due"):format(left, needed)
  end,

  postflight  = function(output)
    return output.paid == output.due, ("%d of %d have arrived"):format(output.paid, output.due)
  end,
}

function payroll.run(input)
  local paid = 0
  for _, person in ipairs(input.people) do
    paid = paid + step("pay " .. person.name, {
      expect = { type = "integer", minimum = 1 },
      undo = function(amount) bank("take back", amount) end,
    }, function() return bank("pay", person.pay - input.fee) end)
  end
  return { paid = paid, due = due(input.people) }
end

return payroll
