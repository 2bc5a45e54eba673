-- A call, then a wait: its result is there again behind it.
-- SPDX-License-Identifier: MIT
local answer = call("echo", { n = 1 })
sleep(1)
return answer
