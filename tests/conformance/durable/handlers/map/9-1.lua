-- A step for each item.
-- SPDX-License-Identifier: MIT
return (map("map", input, { limit = 1 }, function(item)
  return step("greet", function() return "Hello, " .. item .. "!" end)
end))
