-- Two at a time; the results keep the order of the items.
-- SPDX-License-Identifier: MIT
return (map("concurrent", { 0, 1, 2 }, { limit = 2 }, function(item)
  if item == 0 then sleep "50ms" end
  return "r" .. item
end))
