-- A wait in the second iteration.
-- SPDX-License-Identifier: MIT
return (map("suspend", { "r0", "r1" }, { limit = 1 }, function(item)
  if item == "r1" then sleep(1) end
  return step("give", function() return item end)
end))
