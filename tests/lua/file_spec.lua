-- file.*; the run's directory is empty at the start. SPDX-License-Identifier: MIT
local spec = require "spec"
local it, equal, contains, raises = spec.it, spec.equal, spec.contains, spec.raises

it("writes and reads a file, bytes as they are", function()
  equal(file.write("a.txt", "größe\n"), nil)
  equal(file.read("a.txt"), "größe\n")
  file.write("a.txt", "")
  equal(file.read("a.txt"), "")
  file.write("bytes", "\0\xff\r\n")
  equal(file.read("bytes"), "\0\xff\r\n")
end)

it("appends", function()
  file.append("log", "1\n")
  file.append("log", "2\n")
  equal(file.read("log"), "1\n2\n")
end)

it("reads lines", function()
  file.write("lines", "a\n\nb\nlast")
  equal(file.lines("lines"), { "a", "", "b", "last" })
  file.write("empty", "")
  equal(json.encode(file.lines("empty")), "[]")
end)

it("refuses a file that is longer than the limit", function()
  file.write("long", ("x"):rep(100))
  equal(#file.read("long", { limit = 100 }), 100)
  raises("limit", function() file.read("long", { limit = 99 }) end, "long")
  raises("limit", function() file.lines("long", { limit = "99B" }) end)
end)

it("says what is there, and nil for what is not", function()
  file.write("stat.txt", "four")
  local stat = file.stat("stat.txt")
  equal({ stat.name, stat.type, stat.size, math.type(stat.modified) }, { "stat.txt", "file", 4, "float" })
  equal(file.stat(".").type, "directory")
  equal(file.stat("nothing"), nil)
  equal(step("stat in a step", function() return file.stat("nothing") == nil end), true)
  equal({ file.exists("stat.txt"), file.exists("nothing") }, { true, false })
end)

it("lists a directory by name", function()
  file.mkdir("dir/below")
  file.mkdir("dir/below")
  file.write("dir/b", "22")
  file.write("dir/a", "1")
  local names = {}
  for i, entry in ipairs(file.list("dir")) do
    names[i] = { entry.name, entry.type, entry.type == "file" and entry.size or 0 }
  end
  equal(names, { { "a", "file", 1 }, { "b", "file", 2 }, { "below", "directory", 0 } })
end)

it("copies, moves and removes", function()
  file.write("one", "text")
  file.copy("one", "two")
  file.move("one", "three")
  equal({ file.exists("one"), file.read("two"), file.read("three") }, { false, "text", "text" })
  file.remove("two")
  file.remove("two")
  equal(file.exists("two"), false)
  file.mkdir("full/of")
  equal(pcall(file.remove, "full"), false)
  file.remove("full", { recursive = true })
  equal(file.exists("full"), false)
end)

it("finds files by pattern, with paths as the pattern has them", function()
  file.mkdir("src/deep/[odd]")
  for _, name in ipairs { "src/a.lua", "src/b.txt", "src/deep/c.lua", "src/deep/[odd]/d.lua" } do
    file.write(name, "")
  end
  equal(file.glob("src/*.lua"), { "src/a.lua" })
  equal(file.glob("src/**/*.lua"), { "src/a.lua", "src/deep/[odd]/d.lua", "src/deep/c.lua" })
  equal(json.encode(file.glob("*.none")), "[]")
  equal(file.glob("/etc/passw[d]"), { "/etc/passwd" })
end)

it("makes a temporary directory", function()
  local path = file.temp()
  contains(path, "/perilune-")
  equal(file.stat(path).type, "directory")
  file.remove(path, { recursive = true })
end)

it("names the path in its errors", function()
  raises("not_found", function() file.read("missing.txt") end, "missing.txt")
  raises("not_found", function() file.lines("missing.txt") end, "missing.txt")
  raises("not_found", function() file.list("missing") end, "missing")
  raises("not_found", function() file.move("missing", "x") end, "missing")
end)

it("refuses wrong arguments", function()
  raises("usage", function() file.read() end, "path")
  raises("usage", function() file.read("") end, "empty")
  raises("usage", function() file.read("a\0b") end, "NUL")
  raises("usage", function() file.write("x") end, "text")
  raises("usage", function() file.write("x", {}) end, "text")
  raises("usage", function() file.write("x", "y", { mode = 1 }) end, "too many")
  raises("usage", function() file.read("x", { limits = 1 }) end, "did you mean 'limit'")
  raises("usage", function() file.remove("x", { recursiv = true }) end, "did you mean 'recursive'")
  raises("usage", function() file.copy("x") end, "copy to")
end)

return spec.done()
