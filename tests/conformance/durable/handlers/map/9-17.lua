-- A wait behind the map.
-- SPDX-License-Identifier: MIT
local results = map("then-wait", { "a", "b" }, { limit = 1 }, string.upper)
sleep(1)
return results
