-- A limit of nothing is refused.
-- SPDX-License-Identifier: MIT
return (parallel("bad-concurrency", {
  function() return "a" end,
  function() return "b" end,
}, { limit = 0 }))
