-- A hook file that redirects: where the mailer may not be used a letter is written, by a workflow of its own.
--
--   perilune run examples/order.lua --hooks examples/hooks/redirect.lua
-- SPDX-License-Identifier: MIT

on("step.before", function(e)
  if e.step == "mail" then return redirect("hooks.letter") end   -- looked for beside the script: hooks/letter.lua
end)
