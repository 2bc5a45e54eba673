-- Data pattern 13: Data Interaction - to Multiple Instance Task. Each instance is given its part of the data.
-- construct: `map(items, fn)`
-- trace: chapter-1:3 chapter-2:1 chapter-3:2
local book = step("read", function() return { { 5, 6, 7 }, { 8 }, { 9, 10 } } end)

local done = map(book, function(pages, i)
  return step("chapter-" .. i, { input = pages }, function(_, given) return "chapter-" .. i .. ":" .. #given end)
end)

return table.concat(done, " ")
