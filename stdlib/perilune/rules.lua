-- Business rules: hooks with a name and a message, whose checks are counted. See bindings/api/api_rules.cpp, which has read
-- the arguments, and docs/scripts.md.
--
--   before something: a broken rule denies it.   after it: the log has a warning, and the run goes on
--
-- The counts are variables of this module, so that a loop's snapshot has them with it; at the end of the run they become records.
-- SPDX-License-Identifier: MIT

local M = { entries = {} }

-- Whether the rule holds, and if not why. A check that breaks holds nothing.
local function judge(entry, event)
  local ok, holds, said = pcall(entry.check, event)
  if ok and holds then return true end
  if not ok then
    if type(holds) == "table" and holds.code == "cancelled" then error(holds, 0) end
    return false, entry.message .. " (its check failed: " .. tostring(holds) .. ")"
  end
  return false, type(said) == "string" and said or entry.message
end

-- note(name, why): records that the rule was broken.
function M.rule(note, name, point, step, check, message, priority)
  local entry = { name = name, check = check, message = message, checked = 0, broken = 0 }
  M.entries[#M.entries + 1] = entry
  return on(point, { priority = priority }, function(event)
    if step and event.step ~= step then return end
    entry.checked = entry.checked + 1
    local holds, why = judge(entry, event)
    if holds then return end
    entry.broken = entry.broken + 1
    entry.said = why
    note(name, why)
    if event.point:sub(-7) == ".before" then return deny("rule '" .. name .. "': " .. why) end
    log.warn("rule '" .. name .. "' is broken: " .. why, { rule = name, point = event.point, step = event.step })
  end)
end

return M
