#!/usr/bin/env bash
# The slices of the kill tests that scripts/test runs; the whole of them is `scripts/check-all crash`.
# SPDX-License-Identifier: MIT
set -euo pipefail
here=$(dirname "$(readlink -f "$0")") passed=0 failed=0
for test in "$here"/*_test.py; do
  out=$(PERILUNE_SIZE=small "$test") || true
  printf '%s\n' "$out"
  last=${out##*$'\n'}
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
