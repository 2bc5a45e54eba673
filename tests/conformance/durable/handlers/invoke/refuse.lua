-- What is invoked: fails.
-- SPDX-License-Identifier: MIT
error("refused")
