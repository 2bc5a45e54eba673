-- More memory than there is.

--@ 25 E raises the result is too large
return #("x"):rep(1 << 34)

--@ 26 K killed memory
local s = "x"
while true do s = s .. s end

--@ 27 K killed memory
local s = "x"
while true do s = s:gsub("x", "xxxx") end

--@ 28 K killed memory
local t, mib = {}, ("x"):rep(1 << 20)
for i = 1, 1000 do t[i] = mib end
return #table.concat(t)

--@ 29 E returns [2097154,false,false,false]
return { #("%q"):format(("\0"):rep(1 << 20)), (pcall(string.pack, "!17i4", 1)), (pcall(string.packsize, "s")),
         (pcall(string.packsize, "c2147483647c2147483647")) }

--@ 30 E returns 400000
local t = {}
for i = 1, 200000 do t[i] = 233 end
return #utf8.char(table.unpack(t))

--@ 31 E returns [false,false,false]
return { (pcall(table.unpack, {}, 1, 100000000)), (pcall(table.unpack, {}, math.mininteger, math.maxinteger)),
         (pcall(table.unpack, {}, 0, math.maxinteger)) }

--@ 32 D returns 900000
return select("#", table.unpack({}, 1, 900000))

--@ 33 D returns [300000,1]
return { #load("return {" .. ("1,"):rep(300000) .. "}")(), #load("return {" .. ("[1]=1,"):rep(600000) .. "}")() }

--@ 34 K killed memory
local all = {}
for i = 1, 1e7 do all[i] = coroutine.create(print) end

--@ 35 K killed memory
local all = {}
for i = 1, 1e7 do
  local a, b, c = i, i, i
  all[i] = function() return a, b, c end
end

--@ 36 K killed memory
local t = {}
for i = 1, 1 << 23 do t["key" .. i] = i end

--@ 37 K killed memory
local keep = {}
while true do
  pcall(function() while true do keep[#keep + 1] = ("y"):rep(1000) .. #keep end end)
end

--@ 38 R raises are refused
local weak = setmetatable({}, { __mode = "v" })
local t = setmetatable({}, weak)
weak.__newindex = {}
for i = 1, 1e7 do t[i] = {} end
