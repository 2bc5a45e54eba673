#!/usr/bin/env bash
# The slice of the kill test that scripts/test runs; the whole of it is `scripts/check-all crash`.
# SPDX-License-Identifier: MIT
set -euo pipefail
PERILUNE_SIZE=small exec "$(dirname "$(readlink -f "$0")")/kill_test.py"
