-- Values that do not fit into a journal, and what Lua 5.4.4 compiles wrong.

--@ 93 E raises contains itself
local t = {}
t.self = t
return step("s", function() return t end)

--@ 94 E raises nested
local t = {}
for _ = 1, 1e5 do t = { t } end
return step("s", function() return t end)

--@ 95 E raises keys
return step("s", function() return { 1, 2, x = 3 } end)

--@ 96 E returns [false,false,true]
return { (pcall(step, "nan", function() return 0 / 0 end)), (pcall(step, "inf", function() return math.huge end)),
         step("big", function() return 2 ^ 63 end) == 2 ^ 63 }

--@ 97 D returns true
local bytes = "\0\xff\xfe\0"
return step("a\0\xff", function() return bytes end) == bytes

--@ 98 D returns {"__index":2,"__proto__":1}
return step("s", function() return { __proto__ = 1, __index = 2 } end)

--@ 99 R returns "ok"
return step("a\n\27[31mred\r\27]0;title\7", function() return "ok" end)

--@ 100 R raises undefined global 'secret'
return secret("token")

--@ 101 D returns 3 | listed
local constants = {}
for i = 1, 300 do constants[i] = "x = " .. i .. ".5" end
return load("local x; " .. table.concat(constants, "; ") .. "; return 1 ~ (2 or 3)")()

--@ 102 D returns "closed" | listed
local closed = "left open"
local closer = setmetatable({}, { __close = function() closed = "closed" end })
for k in next, {}, nil, closer do
  local captures = function() return k end
  break
end
return closed
