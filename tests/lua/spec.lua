-- What the specs of the script API share: named cases, comparisons that say what differs, and the count at the end.
-- A spec is a workflow script (NAME_spec.lua) that ends with `return spec.done()`. SPDX-License-Identifier: MIT
local spec = { passed = 0, failed = 0 }

local function shown(value)
  local ok, text = pcall(json.encode, value)
  return ok and text or tostring(value)
end

function spec.it(name, body)
  local ok, problem = pcall(body)
  if ok then
    spec.passed = spec.passed + 1
  else
    spec.failed = spec.failed + 1
    log.error("FAILED: " .. name .. ": " .. tostring(problem))
  end
end

-- Plain data compared as JSON: integers and floats, arrays and objects differ.
function spec.equal(got, expected)
  if got == expected or shown(got) == shown(expected) then return end
  error("expected " .. shown(expected) .. ", got " .. shown(got), 2)
end

function spec.contains(text, part)
  if tostring(text):find(part, 1, true) then return end
  error("'" .. tostring(text) .. "' does not contain '" .. part .. "'", 2)
end

-- Calls body, which must raise an error object with this code; gives the error, for a look at the rest of it.
function spec.raises(code, body, part)
  local ok, problem = pcall(body)
  if ok then error("nothing was raised, " .. code .. " expected", 2) end
  if type(problem) ~= "table" or problem.code ~= code then
    error("the code " .. code .. " was expected, raised was: " .. tostring(problem), 2)
  end
  if part and not problem.message:find(part, 1, true) then
    error("'" .. problem.message .. "' does not contain '" .. part .. "'", 2)
  end
  return problem
end

function spec.done() return { passed = spec.passed, failed = spec.failed } end

return spec
