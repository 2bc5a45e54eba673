-- Two at a time; the results keep the order of the branches.
-- SPDX-License-Identifier: MIT
return (parallel("concurrent", {
  function() sleep "50ms" return "r0" end,
  function() return "r1" end,
  function() return "r2" end,
}, { limit = 2 }))
