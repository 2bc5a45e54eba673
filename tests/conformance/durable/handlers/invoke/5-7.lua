-- A call with a large input.
-- SPDX-License-Identifier: MIT
return #call("echo", { text = ("x"):rep(1 << 20) }).text
