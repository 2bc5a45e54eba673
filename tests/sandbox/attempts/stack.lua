-- More stack than there is.

--@ 66 E returns true
local depth = 0
local function f() depth = depth + 1 return pcall(f) end
f()
return depth > 100

--@ 67 E returns true
local depth = 0
local function f() depth = depth + 1 return coroutine.wrap(f)() end
return not pcall(f) and depth > 50

--@ 68 E returns true
local depth = 0
local function f() depth = depth + 1 return (("x"):gsub("x", f)) end
return not pcall(f) and depth > 50

--@ 69 E returns true
local t = setmetatable({}, { __tostring = function(self) return ("%s"):format(self) end })
return not pcall(tostring, t)

--@ 70 E returns false
local co
for _ = 1, 45000 do
  local inner = co
  co = coroutine.create(function()
    local c <close> = setmetatable({}, { __close = function() if inner then assert(coroutine.close(inner)) end end })
    coroutine.yield()
  end)
  coroutine.resume(co)
end
return (coroutine.close(co))

--@ 71 E returns false
local f = function() end
for _ = 1, 20000 do
  local inner = f
  f = coroutine.wrap(function()
    local c <close> = setmetatable({}, { __close = function() inner() end })
    error("x")
  end)
end
return (pcall(f))

--@ 72 E returns false
return (xpcall(error, error))

--@ 73 E returns false
local function deep() return 1 + deep() end
return (xpcall(deep, function() return deep() end))

--@ 74 E returns false
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
return (pcall(function()
  local c <close> = setmetatable({}, { __close = function() deep(190000) end })
  deep(1e6)
end))
