-- A long wait.
-- SPDX-License-Identifier: MIT
sleep "1h"
