-- Branches in a branch.
-- SPDX-License-Identifier: MIT
return (parallel("outer", {
  function()
    return (parallel("inner", {
      function() return step("one", function() return "i1" end) end,
      function() return step("two", function() return "i2" end) end,
    }, { limit = 1 }))
  end,
}, { limit = 1 }))
