-- Code that is not text, or comes from elsewhere.

--@ 1 R returns "attempt to load a binary chunk (only text is accepted)"
return select(2, load("\27LuaS\0\x19\x93\r\n\x1a\n"))

--@ 2 R returns "nil"
return tostring(string.dump)

--@ 3 R returns "attempt to load a binary chunk (only text is accepted)"
local pieces, i = { "\27", "Lua" }, 0
return select(2, load(function() i = i + 1 return pieces[i] end))

--@ 4 R returns [false,false,false,false,false,false]
local out = {}
for n, code in ipairs { "loadfile('x')", "dofile('x')", "require('../../etc/passwd')", "require('/etc/passwd')",
                        "require('io')", "require('a\0b')" } do
  out[n] = pcall(load(code))
end
return out

--@ 5 R raises undefined global 'package'
return package.loadlib("liblua5.4.so.0", "luaopen_io")

--@ 6 R returns [true,false,false,false]
return { rawget(_G, "package") == nil, (pcall(load "return package.loaded.io")),
         (pcall(load "return package.searchers")), (pcall(load "package.preload.x = print")) }

--@ 7 R returns [true,true,5,false]
local print_there, string_there, x = load("return print, _ENV.string, x", "=c", "t", { x = 5 })()
return { print_there == nil, string_there == nil, x, (pcall(load("_ENV = nil return x"))) }

--@ 8 D returns [true,1,false,false]
local ok, one = pcall(load("local _ENV <const> = {}; x = 1; return x"))
local number = pcall(load("local _ENV <const> = 7; return x"))
local text = pcall(load("local a <const> = 'x'; local _ENV <const> = a; y = 1"))
return { ok, one, number, text }

--@ 9 R raises control characters
return load("x x", "=a\n\27[31mred")
