-- A call.
-- SPDX-License-Identifier: MIT
return call("echo", input)
