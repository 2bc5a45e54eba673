-- More time than there is.

--@ 40 K killed budget
while true do end

--@ 41 K killed budget
::again::
goto again

--@ 42 K killed budget
local function f() return f() end
f()

--@ 43 K killed budget
return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40))

--@ 44 K killed budget
return (("a"):rep(4000)):find((".-"):rep(8) .. "b")

--@ 45 K killed budget
return (("("):rep(300000)):gsub("%b()", "")

--@ 46 K killed budget
for _ in (("a"):rep(300000)):gmatch("(.-)%1b") do end

--@ 47 K killed budget
return (("a"):rep(200)):find("%f[a]" .. ("(a*)"):rep(31) .. "b")

--@ 48 D returns true
local hay = ("a"):rep(16 << 20)
return hay:find(("a"):rep(8 << 20) .. "b", 1, true) == nil

--@ 49 E returns [true,true,false,false]
local function sorted(less)
  local t = {}
  for i = 1, 2000 do t[i] = i * 7919 % 2003 end
  return (pcall(table.sort, t, less))
end
return { sorted(function() return true end), sorted(function() return math.random() < 0.5 end), sorted(error),
         sorted(function() coroutine.yield() end) }

--@ 50 K killed budget | killed memory
local t = {}
for i = 1, 3e6 do t[i] = i * 7919 % 3000017 end
while true do table.sort(t, math.ult) end

--@ 51 E raises more than 10000000 items
table.move({}, 1, math.maxinteger - 1, 2)

--@ 52 E returns [false,false,false,false,false]
local t = setmetatable({}, { __len = function() return 1 << 40 end })
return { (pcall(table.insert, t, 1, 1)), (pcall(table.remove, t, 1)), (pcall(table.concat, t)), (pcall(table.sort, t)),
         (pcall(table.unpack, t)) }

--@ 53 E raises stack overflow
local t = {}
setmetatable(t, { __index = function(_, k) return t[k] .. "" end })
return t.x

--@ 54 E raises '__index' chain too long
local t = {}
for _ = 1, 1e5 do t = setmetatable({}, { __index = t }) end
return t.x

--@ 55 E returns [false,false,false,false,false,false]
local m = {}
local a, b = setmetatable({}, m), setmetatable({}, m)
m.__eq = function() return not (a == b) end
m.__lt = function() return not (a < b) end
m.__le = function() return not (a <= b) end
m.__concat = function() return (a .. b) .. "" end
m.__call = function() return a() .. "" end
m.__unm = function() return -a .. "" end
return { (pcall(function() return a == b end)), (pcall(function() return a < b end)), (pcall(function() return a <= b end)),
         (pcall(function() return a .. b end)), (pcall(a)), (pcall(function() return -a end)) }

--@ 56 E returns [false,false,true]
local endless = setmetatable({}, { __tostring = function(self) return tostring(self) .. "" end })
local named = setmetatable({}, { __name = ("n"):rep(100000) })
return { (pcall(tostring, endless)), (pcall(string.format, "%s", endless)), #tostring(named) > 100000 }

--@ 57 K killed budget
for _ in pairs(setmetatable({}, { __pairs = function() return function() return 1 end end })) do end

--@ 58 R returns "a source with more than 10000 elseif can't be loaded"
return select(2, load("if a then " .. ("elseif a then "):rep(100000) .. "end"))

--@ 59 E returns [true,true,true,true]
local n = 100000
return { load("return " .. ("("):rep(n) .. "1" .. (")"):rep(n)) == nil, load("return " .. ("{"):rep(n) .. ("}"):rep(n)) == nil,
         load(("function f() "):rep(n) .. ("end "):rep(n)) == nil, load(("do "):rep(n) .. ("end "):rep(n)) == nil }

--@ 60 R returns [true,true,true]
local labels = {}
for i = 1, 100000 do labels[i] = "goto a" .. i .. " ::a" .. i .. "::" end
return { load(table.concat(labels, " ")) == nil, load("while true do " .. ("break "):rep(100000) .. "end") == nil,
         load(("goto x "):rep(100000) .. "::x::") == nil }

--@ 61 E returns [true,true,true,true]
local n = 100000
return { load("return " .. ("'a' .. "):rep(n) .. "''") == nil, load("return " .. ("2^"):rep(n) .. "2") == nil,
         load("return " .. ("- "):rep(n) .. "2") == nil, load("return " .. ("not "):rep(n) .. "2") == nil }

--@ 62 R returns [true,true,true]
local n = 5 << 20
return { load("return " .. ("a"):rep(n)) == nil, load("return [" .. ("="):rep(n) .. "[") == nil,
         load("--[" .. ("="):rep(n) .. "[") == nil }

--@ 63 D returns [true,true,"inf"]
local digits = ("9"):rep(10 << 20)
return { tonumber(digits .. "x") == nil, tonumber(digits, 7) == nil, tostring(tonumber(digits)) }

--@ 64 D returns 100000
local t, n = {}, 0
for i = 1, 100000 do t[("collide"):rep(6) .. i] = true end
for _ in pairs(t) do n = n + 1 end
return n

--@ 65 R raises are refused
local t = setmetatable({}, { __mode = "k" })
