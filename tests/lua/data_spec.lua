-- json, text, crypto and log: plain functions, no effects. SPDX-License-Identifier: MIT
local spec = require "spec"
local it, equal, contains, raises = spec.it, spec.equal, spec.contains, spec.raises

it("writes JSON with sorted keys", function()
  equal(json.encode { b = 1, a = { 1, 2.0, "x" } }, '{"a":[1,2.0,"x"],"b":1}')
  equal(json.encode({}), "{}")
  equal(json.encode(json.array {}), "[]")
  equal(json.encode(json.object {}), "{}")
  equal(json.encode { json.null }, "[null]")
  equal(json.encode(nil), "null")
end)

it("writes JSON for people", function()
  equal(json.encode({ a = { 1, { b = "x{,:}\"[" } }, c = json.array {} }, { pretty = true }),
    '{\n  "a": [\n    1,\n    {\n      "b": "x{,:}\\"["\n    }\n  ],\n  "c": []\n}')
  equal(json.encode({}, { pretty = true }), "{}")
end)

it("reads JSON, and writes it again as it was", function()
  local text = '{"a":[],"b":{},"c":null,"d":[1,2.5,true,"x"]}'
  equal(json.encode(json.decode(text)), text)
  equal(json.decode("[1]")[1], 1)
  equal(json.decode(" null "), json.null)
end)

it("has no meaning for $bytes, unless it is asked for", function()
  equal(json.encode { ["$bytes"] = "aGk=" }, '{"$bytes":"aGk="}')
  equal(json.decode('{"$bytes":"aGk="}')["$bytes"], "aGk=")
  equal(json.encode("\xff", { bytes = true }), '{"$bytes":"/w=="}')
  equal(json.decode('{"$bytes":"/w=="}', { bytes = true }), "\xff")
  equal(json.decode(json.encode({ ["$bytes"] = "x" }, { bytes = true }), { bytes = true })["$bytes"], "x")
end)

it("says where JSON is wrong", function()
  raises("validation", function() json.decode('{\n "a": }') end, "line 2, column 7")
  raises("validation", function() json.decode("") end)
  raises("validation", function() json.encode { a = { print } } end, "a[1]: a function")
  raises("validation", function() json.encode { a = "xy\xff" } end, "byte 3")
  raises("validation", function() json.encode(0 / 0) end, "NaN")
  raises("usage", function() json.encode({}, { prety = true }) end, "did you mean 'pretty'")
  raises("usage", function() json.decode({}) end, "string")
  raises("usage", function() json.array("x") end, "table")
  raises("usage", function() json.array(setmetatable({}, {})) end, "metatable")
  raises("usage", function() json.object(shell) end, "metatable")
end)

it("tags a table again", function()
  local t = json.object(json.array {})
  equal(json.encode(t), "{}")
end)

it("renders templates", function()
  local order = { id = 7, price = 2.5, open = true, items = { { name = "a" }, { name = "b" } }, ["content-type"] = "x" }
  local template = "{{ order.id }}/{{order.price}} {{ order.items[2].name }}{{order.content-type}}"
  equal(text.render(template, { order = order }), "7/2.5 bx")
  equal(text.render("{{ a[1][2] }}", { a = { { "x", "y" } } }), "y")
  equal(text.render("{ {{ open }} }}", order), "{ true }}")
  equal(text.render("plain", {}), "plain")
  equal(text.render("", {}), "")
  equal(text.render(("{{ x }}\n"):rep(5000), { x = "long enough" }), ("long enough\n"):rep(5000))
end)

it("says what a template names that is not there", function()
  raises("validation", function() text.render("a\n{{ order.total.net }}", { order = {} }) end,
    "line 2: 'order.total' is undefined")
  raises("validation", function() text.render("{{ x.y }}", { x = 1 }) end, "'x.y' is undefined")
  raises("validation", function() text.render("{{ x }", { x = 1 }) end, "without '}}'")
  raises("validation", function() text.render("{{ x + 1 }}", { x = 1 }) end, "no path")
  raises("validation", function() text.render("{{ }}", {}) end, "no path")
  raises("validation", function() text.render("{{ x[a] }}", { x = {} }) end, "no path")
  raises("validation", function() text.render("{{ x }}", { x = {} }) end, "is a table")
  raises("usage", function() text.render("x") end, "table")
end)

it("trims, splits and cuts into lines", function()
  equal(text.trim(" \t a b\r\n"), "a b")
  equal(text.trim(" "), "")
  equal(text.split("a,b,,c", ","), { "a", "b", "", "c" })
  equal(text.split("", ","), { "" })
  equal(text.split("a.b", "."), { "a", "b" })
  equal(text.split("a--b--", "--"), { "a", "b", "" })
  equal(text.lines("a\r\nb\n\nc"), { "a", "b", "", "c" })
  equal(json.encode(text.lines("")), "[]")
  raises("usage", function() text.split("a", "") end, "empty")
  raises("usage", function() text.trim(1) end, "string")
end)

it("hashes and encodes", function()
  equal(crypto.sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  equal(crypto.hmac("key", "The quick brown fox jumps over the lazy dog"),
    "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
  equal(crypto.base64("\xff\x00"), "/wA=")
  equal(crypto.unbase64("/wA="), "\xff\x00")
  raises("validation", function() crypto.unbase64("x") end, "base64")
  equal(#crypto.uuid(), 36)
end)

it("logs texts, values and fields", function()
  log.debug("a text")
  log.info("with fields", { n = 1, list = { 1, 2 } })
  log.warn(42)
  log.error(setmetatable({}, { __tostring = function() return "an object" end }))
  raises("validation", function() log.info("x", { f = print }) end, "fields.f")
  raises("validation", function() log.info("x", { 1, 2 }) end, "names")
  raises("usage", function() log.info("x", "y") end, "table")
  raises("usage", function() log.info() end, "no text")
end)

it("has read-only tables", function()
  for _, name in ipairs { "shell", "http", "file", "json", "log", "crypto", "text" } do
    equal(pcall(function() _G[name].extra = 1 end), false)
  end
end)

return spec.done()
