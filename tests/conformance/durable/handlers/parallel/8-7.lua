-- A branch's failure is raised.
-- SPDX-License-Identifier: MIT
return (parallel("throwing", {
  function() error("branch 0 fails") end,
  function() return "never" end,
}, { limit = 1, tolerate = 0 }))
