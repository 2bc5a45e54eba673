-- Iterations with names.
-- SPDX-License-Identifier: MIT
return (map("named-items", input, { limit = 1, name = function(item) return "item-" .. item end }, function(item)
  return item * 10
end))
