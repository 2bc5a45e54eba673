-- A call that fails.
-- SPDX-License-Identifier: MIT
return call("refuse", {})
