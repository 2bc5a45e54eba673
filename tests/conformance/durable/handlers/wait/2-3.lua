-- Two waits with names.
-- SPDX-License-Identifier: MIT
sleep("wait-1", 2)
sleep("wait-2", 2)
return { completedWaits = 2 }
