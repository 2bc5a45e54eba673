-- What differs between two processes.

--@ 84 R raises has no order that a replay would repeat
for k in pairs { [{}] = 1, [print] = 2 } do print(k) end

--@ 85 D returns ["table: #1","function: #2",false]
return { tostring({}), tostring(print), (pcall(string.format, "%p", {})) }

--@ 86 D same
return { math.random(), math.random(1000), (pcall(math.randomseed, 1)) }

--@ 87 D same
return { os.time(), os.clock(), os.date(), now() }

--@ 88 R raises undefined global 'collectgarbage'
return collectgarbage("count")

--@ 89 D same
local t = { 1, 2, nil, 4 }
t[6] = 6
return { #t, #{ nil, nil, 3 }, #{ n = 1, 1, nil } }

--@ 90 D returns ["-0.0","1e+15",false,"0.1","-nan"]
local nan = pcall(function() local t = {} t[0 / 0] = 1 end)
return { tostring(-0.0), tostring(1e15), nan, tostring(0.1), tostring(0 / 0) }

--@ 91 D returns ["1.5",true,"2.5"]
return { tostring(1.5), tonumber("1,5") == nil, ("%.1f"):format(2.5) }

--@ 92 D same
local t = {}
for i = 1, 3000 do t[i] = { key = i * i % 7, n = i } end
table.sort(t, function(a, b) return a.key <= b.key end)
local text = {}
for i, item in ipairs(t) do text[i] = item.n end
return table.concat(text, ","):sub(1, 200)
