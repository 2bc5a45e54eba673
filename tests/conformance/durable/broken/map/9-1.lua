-- Wrong: the items run side by side.
-- SPDX-License-Identifier: MIT
return (map("map", input, function(item)
  return step("greet", function() return "Hello, " .. item .. "!" end)
end))
