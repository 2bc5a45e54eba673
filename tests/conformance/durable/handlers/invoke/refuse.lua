-- What is invoked: fails.
-- SPDX-License-Identifier: MIT
local refuse = workflow { name = "refuse" }

function refuse.run()
  fail("refused", { code = "refused" })
end

return refuse
