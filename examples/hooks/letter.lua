-- What examples/hooks/redirect.lua has done in place of a mail.
-- SPDX-License-Identifier: MIT

local letter = workflow { name = "letter", output = { to = "string" } }

function letter.run()
  local written = step("write", function() return "Dear customer, ..." end)
  step("post", function() log.info("in the letterbox", { characters = #written }) end)
  return { to = "the letterbox" }
end

return letter
