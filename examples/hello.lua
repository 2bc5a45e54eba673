-- The smallest workflow: a file that returns no definition is itself the body, and `input` is a global.
-- What a step returns is on disk before the next line runs; killed anywhere, the run goes on after it.
--
--   perilune run examples/hello.lua
--   perilune run examples/hello.lua --input '{"name": "Ada"}'
-- SPDX-License-Identifier: MIT

local name = input.name or "world"

local greeting = step("greet", function()
  return "Hello, " .. name .. "!"
end)

log.info(greeting)
return { greeting = greeting }
