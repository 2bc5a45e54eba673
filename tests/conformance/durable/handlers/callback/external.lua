-- Callbacks: tasks that wait for an answer from outside, which comes as the signal of their name.
-- SPDX-License-Identifier: MIT
-- An answer is { payload = .. } or { failure = { type = .., message = .. } }; { heartbeat = true } says that it takes longer.
local external = {}

-- options.timeout: it is answered within that time. options.heartbeat: there is a sign of life within that time.
function external.callback(name, options)
  options = options or {}
  return spawn(name and "callback " .. name or "callback", function()
    while true do
      local answer, why = receive(name or "callback", { timeout = options.timeout or options.heartbeat })
      if why == "timeout" then fail("there was no answer", { code = "timeout" }) end
      if answer.failure then fail(answer.failure.message, { code = answer.failure.type }) end
      if not answer.heartbeat then return answer.payload end
    end
  end)
end

-- A callback, the step that tells the outside of it, and its answer, in a context of their own.
function external.wait_for(name, options, submit)
  return spawn(name and "wait_for_callback " .. name or "wait_for_callback", function()
    local callback = external.callback(nil, options)
    step("submit", { retry = options.retry }, submit)
    return callback:await()
  end):await()
end

return external
