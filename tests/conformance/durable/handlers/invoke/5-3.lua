-- A call with nested data.
-- SPDX-License-Identifier: MIT
return call("echo", input)
