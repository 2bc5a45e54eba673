-- Five reviewers are asked, three of them decide: as soon as three have voted the others are withdrawn. A vote that is
-- recorded counts, whatever happens to the process.
--
--   perilune run examples/review.lua
--   perilune run examples/review.lua --input '{"ill": 3}'      (a quorum can't be met any more: fails at once, and says so)
-- SPDX-License-Identifier: MIT

local review = workflow {
  name        = "review",
  description = "Asks five reviewers; goes on with the first three votes.",
  input       = {
    quorum = { type = "integer", minimum = 1, maximum = 5, default = 3 },
    ill    = { type = "integer", minimum = 0, maximum = 5, default = 1, description = "so many never vote" },
    ledger = "string?", -- a file to which each vote appends a line, `step attempt key`
  },
  output      = { accepted = "boolean", votes = "integer", withdrawn = "integer", voters = { type = "array" } },
}

-- How long they think about it, and what they think.
local reviewers = {
  { name = "ada",   takes = "60ms",  vote = true },
  { name = "boris", takes = "20ms",  vote = false },
  { name = "chen",  takes = "40ms",  vote = true },
  { name = "dora",  takes = "90ms",  vote = true },
  { name = "emil",  takes = "10s",   vote = false },
}

function review.run(input)
  local function ask(reviewer, i)
    return step("ask " .. reviewer.name, { retry = 1 }, function(attempt)
      if i <= input.ill then fail(reviewer.name .. " is ill", { code = "ill" }) end
      sleep(reviewer.takes)
      if input.ledger then
        file.append(input.ledger, "ask " .. reviewer.name .. " " .. attempt.number .. " " .. attempt.key .. "\n")
      end
      return { by = reviewer.name, yes = reviewer.vote }
    end)
  end

  -- Two may fail; with a third the quorum can't be met any more, and `map` fails at once.
  local votes, info = map(reviewers, { need = input.quorum, tolerate = #reviewers - input.quorum }, ask)

  local yes, voters = 0, {}
  for _, i in ipairs(info.order) do
    if votes[i] then
      table.insert(voters, votes[i].by)
      if votes[i].yes then yes = yes + 1 end
    end
  end
  return { accepted = yes * 2 > #voters, votes = #voters, withdrawn = info.cancelled, voters = voters }
end

return review
