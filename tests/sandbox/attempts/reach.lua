-- Ways to the host, or to other runs.

--@ 10 R returns ["nil","nil","nil","nil","nil","nil"]
return { tostring(debug.getregistry), tostring(debug.getupvalue), tostring(debug.setupvalue), tostring(debug.sethook),
         tostring(debug.getinfo), tostring(debug.setmetatable) }

--@ 11 R raises attempt to index a boolean value
getmetatable("").__index = { upper = print }

--@ 12 R raises a table of the API is read-only
string.format = nil

--@ 13 R raises a table of the API is read-only
rawset(string, "rep", print)

--@ 14 R returns [false,false,false,"string.upper"]
local inserted = pcall(table.insert, string, print)
local moved = pcall(table.move, { print }, 1, 1, 1, string)
local written = pcall(function() for k in next, string do rawset(string, k, nil) end end)
return { inserted, moved, written, string.upper and "string.upper" }

--@ 15 R raises cannot change a protected metatable
setmetatable(_G, { __index = function(_, k) return k end })

--@ 16 R returns [false,false]
return { (pcall(setmetatable, channel(1), {})), (pcall(setmetatable, "", {})) }

--@ 17 R returns [true,true]
return { not getmetatable(channel(1)), not getmetatable(spawn("t", function() end)) }

--@ 18 D returns ["mine"]
mine = 1
local names = {}
for k in pairs(_G) do if k ~= "input" and k ~= "this" then names[#names + 1] = k end end
return names

--@ 19 D returns [false,"running",false]
local co = coroutine.running()
local resumed = coroutine.resume(co)
return { resumed, coroutine.status(co), (pcall(coroutine.close, co)) }

--@ 20 R returns [true,false,true]
local yielded = coroutine.wrap(function() coroutine.yield(json.null) end)()
local ok, e = pcall(error, json.null)
return { yielded == json.null, ok, e == json.null }

--@ 21 E returns [false,false,false,false]
local c, h = channel(1), spawn("t", function() end)
return { (pcall(c.put, {}, 1)), (pcall(c.put, h, 1)), (pcall(c.take, coroutine.running())), (pcall(h.await, c)) }

--@ 22 E returns [false,false,false,false]
local sort = pcall(coroutine.wrap(function() table.sort({ 2, 1 }, coroutine.yield) end))
local gsub = pcall(coroutine.wrap(function() return (("ab"):gsub(".", coroutine.yield)) end))
local await = pcall(table.sort, { 2, 1 }, function() sleep(1) end)
local text = pcall(tostring, setmetatable({}, { __tostring = function() sleep(1) return "" end }))
return { sort, gsub, await, text and false }

--@ 23 R returns [true,true]
local ok, e = pcall(fail, "x", { code = "c" })
local plain = true
for _, v in pairs(e) do plain = plain and type(v) ~= "function" and type(v) ~= "userdata" end
return { plain, debug.traceback():find("/", 1, true) == nil }

--@ 24 R returns ["nil","nil","nil","nil"]
return { tostring(os.getenv), tostring(os.execute), tostring(os.tmpname), tostring(os.setlocale) }
