-- A wait.
-- SPDX-License-Identifier: MIT
sleep(2)
