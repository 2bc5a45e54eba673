-- A step that logs as it begins and ends.
-- SPDX-License-Identifier: MIT
return step("greet", function()
  log.info("Greeting step started for: " .. input)
  local greeting = "Hello, " .. input .. "!"
  log.info("Greeting step completed with: " .. greeting)
  return greeting
end)
