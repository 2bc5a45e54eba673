#!/usr/bin/env bash
# Runs the specs of the script API (tests/lua/*_spec.lua) through the binary, each as a workflow in a directory of its
# own.
#
# Usage: tests/lua/run.sh [SPEC]...      the binary is $PERILUNE, or the one in build/release
# Prints what failed, then `N passed, N failed`. SPDX-License-Identifier: MIT
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
binary=${PERILUNE:-$here/../../build/release/perilune}
[ -x "$binary" ] || { echo "run.sh: no binary at $binary (set PERILUNE)" >&2; exit 2; }
binary=$(readlink -f "$binary")
specs=()
for name in "$@"; do specs+=("$(readlink -f "$name")"); done
[ ${#specs[@]} -gt 0 ] || specs=("$here"/*_spec.lua)

work=$(mktemp -d)
server=""
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
mkfifo "$work/port"
python3 "$here/http_server.py" >"$work/port" 2>"$work/server.log" &
server=$!
read -r port <"$work/port"

# What a spec may count on whatever the user's environment is.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export SPEC_VARIABLE="from outside"

passed=0 failed=0
count_of() { grep -oE "\"$1\":[0-9]+" "$2" | head -n 1 | grep -oE '[0-9]+' || echo 0; }
for file in "${specs[@]}"; do
  name=$(basename "$file" .lua)
  mkdir "$work/$name"
  status=0
  (cd "$work/$name" && timeout 120 "$binary" run --store memory --json --input "{\"port\":$port}" "$file") \
    >"$work/out" 2>"$work/err" </dev/null || status=$?
  good=$(count_of passed "$work/out") bad=$(count_of failed "$work/out")
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  passed=$((passed + good)) failed=$((failed + bad))
  [ "$bad" -eq 0 ] && continue
  echo "$name: $bad failed (exit code $status)"
  { grep -a 'FAILED' "$work/err" || tail -n 20 "$work/err"; [ "$status" -eq 0 ] || cat "$work/out"; } | sed 's/^/  | /'
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
