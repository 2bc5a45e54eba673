-- What a map or a parallel came to, in the words of the cases.
-- SPDX-License-Identifier: MIT
local batch = {}

local reasons = {
  all = "ALL_COMPLETED", tolerated = "ALL_COMPLETED", need = "MIN_SUCCESSFUL_REACHED", failed = "FAILURE_TOLERANCE_EXCEEDED",
}

-- The fields asked for, of pcall(map, ...): a join that fails carries in its error what it gives else.
function batch.summary(fields, ok, results, info)
  local facts = ok and info or results.data
  local all = {
    completionReason = reasons[facts.reason],
    status = facts.failed > 0 and "FAILED" or "SUCCEEDED",
    successCount = facts.done,
    failureCount = facts.failed,
    totalCount = facts.done + facts.failed,
  }
  local summary = {}
  for _, field in ipairs(fields) do summary[field] = all[field] end
  return summary
end

return batch
