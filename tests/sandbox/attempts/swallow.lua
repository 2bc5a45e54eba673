-- Going on after the end.

--@ 75 K killed budget
while true do pcall(function() while true do end end) end

--@ 76 K killed budget
while true do xpcall(function() while true do end end, function() while true do end end) end

--@ 77 K killed budget
while true do pcall(coroutine.wrap(function() while true do pcall(function() while true do end end) end end)) end

--@ 78 K killed budget
local c <close> = setmetatable({}, { __close = function() while true do end end })
while true do end

--@ 79 R raises are refused
setmetatable({}, { __gc = function() while true do end end })

--@ 80 K killed budget
while true do
  local co = coroutine.create(function()
    local c <close> = setmetatable({}, { __close = function() while true do end end })
    coroutine.yield()
  end)
  coroutine.resume(co)
  coroutine.close(co)
end

--@ 81 E raises an error object of type table
pcall(error)
pcall(error, nil)
pcall(error, {})
local huge = setmetatable({}, { __tostring = function() while true do end end, __index = error, __len = error })
for i = 1, 10000 do huge[i] = {} end
error(huge)

--@ 82 K killed budget
while true do pcall(step, "s", function() while true do end end) end

--@ 83 K killed memory
local ok = pcall(function() local s = "x" while true do s = s .. s end end)
return step("after", function() return ok end)
