-- shell.run and shell.sh. SPDX-License-Identifier: MIT
local spec = require "spec"
local it, equal, contains, raises = spec.it, spec.equal, spec.contains, spec.raises

it("runs a program with its arguments as they are, numbers among them", function()
  local r = shell.run { "printf", "%s|", "a b", "$HOME", "*", 7, 2.5 }
  equal(r.stdout, "a b|$HOME|*|7|2.5|")
  equal(r.code, 0)
  equal(r.stderr, "")
  equal(r.signal, nil)
  equal(r.truncated, nil)
  equal(math.type(r.duration), "float")
end)

it("gives any exit code as a result, and both outputs", function()
  local r = shell.sh("echo out; echo err >&2; exit 3")
  equal({ r.code, r.stdout, r.stderr }, { 3, "out\n", "err\n" })
end)

it("says which signal ended the program", function()
  local r = shell.sh("kill -9 $$")
  equal({ r.code, r.signal }, { 137, 9 })
end)

it("runs a pipe through sh", function() equal(shell.sh("echo b a | tr ' ' '\\n' | sort").stdout, "a\nb\n") end)

it("gives stdin, bytes too", function()
  equal(shell.run { "cat", stdin = "line\n" }.stdout, "line\n")
  equal(shell.run { "cat", stdin = "\xff\x00\xfe" }.stdout, "\xff\x00\xfe")
  equal(shell.run { "cat" }.stdout, "")
end)

it("adds variables to the environment", function()
  local r = shell.sh("echo $A:$B:$SPEC_VARIABLE", { env = { A = "1", B = 2 } })
  equal(r.stdout, "1:2:from outside\n")
end)

it("starts with a clean environment when told", function()
  equal(shell.sh("echo [$SPEC_VARIABLE]", { env = "clean" }).stdout, "[]\n")
end)

it("runs in the run's directory, and in others relative to it", function()
  file.mkdir("below")
  local here = shell.run { "pwd" }.stdout
  equal(shell.run { "pwd", cwd = "below" }.stdout, here:gsub("\n", "/below\n"))
  equal(shell.sh("pwd", { cwd = "/" }).stdout, "/\n")
end)

it("raises not_found for a program that is not there", function()
  raises("not_found", function() shell.run { "no-such-program-here" } end, "no-such-program-here")
end)

it("raises io for a directory that is not there", function()
  local ok, problem = pcall(shell.run, { "true", cwd = "nowhere" })
  equal(ok, false)
  contains(problem.message, "nowhere")
end)

it("raises exit_status when the exit code is checked, with what was written", function()
  equal(shell.run { "true", check = true }.code, 0)
  local problem = raises("exit_status", function() shell.sh("echo out; echo why >&2; exit 2", { check = true }) end)
  contains(problem.message, "exit code 2")
  contains(problem.message, "why")
  equal(problem.data.code, 2)
  equal(problem.data.stdout, "out\n")
  equal(problem.data.stderr, "why\n")
end)

it("raises timeout and ends the program", function()
  local problem = raises("timeout", function() shell.run { "sleep", "1000", timeout = "50ms" } end)
  contains(problem.message, "50ms")
end)

it("keeps within the resource limits", function()
  equal(shell.sh("ulimit -n; ulimit -t; ulimit -v", { rlimits = { files = 33, cpu = "5s", memory = "512MiB" } }).stdout,
    "33\n5\n524288\n")
end)

it("belongs to the step that it is in", function()
  local out = step("list", function() return shell.run { "echo", "in a step" }.stdout end)
  equal(out, "in a step\n")
end)

it("ends when its branch loses a race", function()
  local winner = race {
    slow = function() return shell.run { "sleep", "1000" }.code end,
    fast = function() return "fast" end,
  }
  equal(winner, "fast")
end)

it("names the nearest option", function()
  raises("usage", function() shell.run { "true", tmeout = 1 } end, "did you mean 'timeout'")
  raises("usage", function() shell.sh("true", { chek = true }) end, "did you mean 'check'")
  raises("usage", function() shell.run { "true", rlimits = { memry = 1 } } end, "did you mean 'memory'")
end)

it("refuses wrong arguments and says what would be right", function()
  raises("usage", function() shell.run("ls -l") end, "shell.sh")
  raises("usage", function() shell.run {} end, "no program")
  raises("usage", function() shell.run { "echo", true } end, "argument 2")
  raises("usage", function() shell.run { "echo", nil, "x" } end, "nil")
  raises("usage", function() shell.run { "echo", timeout = "soon" } end, "timeout")
  raises("usage", function() shell.run { "echo", timeout = 0 } end, "above 0")
  raises("usage", function() shell.run { "echo", env = "dirty" } end, "clean")
  raises("usage", function() shell.run { "echo", env = { A = {} } } end, "'A'")
  raises("usage", function() shell.run { "echo", check = 1 } end, "true or false")
  raises("usage", function() shell.sh() end, "command line")
  raises("usage", function() shell.sh("true", {}, 1) end, "too many")
end)

return spec.done()
