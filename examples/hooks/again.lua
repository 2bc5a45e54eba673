-- A hook file that tries a step again with another input: what came is spoilt on its way, and mended when the step fails.
--
--   perilune run examples/patterns/data-29-copy-in-copy-out.lua --hooks examples/hooks/again.lua
-- SPDX-License-Identifier: MIT

on("step.before", function(e)
  if e.step == "discount" then return replace { input = { item = e.input.item } } end   -- the price is lost
end)

on("step.fail", function(e)
  if e.step == "discount" and e.input.price == nil then
    return retry { after = "10ms", input = { item = e.input.item, price = 20 } }
  end
end)
