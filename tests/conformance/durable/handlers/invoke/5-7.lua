-- A call with a large input.
-- SPDX-License-Identifier: MIT
return #call("echo", { text = ("x"):rep(6 << 20) }).text
