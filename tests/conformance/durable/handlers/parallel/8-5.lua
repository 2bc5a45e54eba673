-- No branches.
-- SPDX-License-Identifier: MIT
return json.array((parallel("empty", {})))   -- an empty table is an object else
