-- Item and index.
-- SPDX-License-Identifier: MIT
return (map("indexed", input, { limit = 1 }, function(item, i) return item + i - 1 end))
