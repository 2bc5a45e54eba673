-- http.*, against tests/lua/http_server.py. SPDX-License-Identifier: MIT
local spec = require "spec"
local it, equal, contains, raises = spec.it, spec.equal, spec.contains, spec.raises
local base = "http://127.0.0.1:" .. input.port

it("gets a text", function()
  local r = http.get(base .. "/text")
  equal({ r.status, r.body, r.headers["content-type"] }, { 200, "größe\n", "text/plain; charset=utf-8" })
  equal(r.json, nil)
  equal(math.type(r.duration), "float")
end)

it("gets bytes as they are", function()
  local body = http.get(base .. "/binary").body
  equal(#body, 256)
  equal(body:byte(256), 255)
end)

it("parses a body that is JSON, and leaves one alone that says so and is not", function()
  local value = http.get(base .. "/json").json
  equal(value.n, 1)
  equal(value.x, 2.5)
  equal(json.encode(value.list), "[]")
  equal(value.none, json.null)
  equal(http.get(base .. "/problem").json.title, "no")
  local broken = http.get(base .. "/broken")
  equal({ broken.status, broken.body }, { 200, '{"n": ' })
  equal(broken.json, nil)
end)

it("gives the server's own $bytes keys unchanged", function()
  local value = http.get(base .. "/marked").json
  equal(value["$bytes"], "aGk=")
  equal(value.inner["$bytes"], "aGk=")
end)

it("gives any status as a result", function()
  equal(http.get(base .. "/status/404").status, 404)
  equal(http.get(base .. "/status/500").body, "status 500")
end)

it("raises http_status when the status is checked", function()
  equal(http.get(base .. "/status/204", { check = true }).status, 204)
  local problem = raises("http_status", function() http.get(base .. "/after/7", { check = true }) end, "status 503")
  equal(problem.data, { body = "later", status = 503 })
  equal(problem.retry_after, 7.0)
end)

it("sends a query, sorted and percent-encoded", function()
  local r = http.get(base .. "/echo", { query = { b = "x y&z", a = 1, c = { "1", "2" }, d = true, ["ö"] = "" } })
  equal(r.json.query, "a=1&b=x%20y%26z&c=1&c=2&d=true&%C3%B6=")
  equal(http.get(base .. "/echo?x=1#part", { query = { y = 2 } }).json.query, "x=1&y=2")
end)

it("sends JSON", function()
  local r = http.post(base .. "/echo", { json = { list = json.array {}, n = 1, ["$bytes"] = "mine" } })
  equal(r.json.body, '{"$bytes":"mine","list":[],"n":1}')
  equal(r.json.headers["content-type"], "application/json")
  equal(http.post(base .. "/echo", { json = { ["$bytes"] = "mine" } }).json.body, '{"$bytes":"mine"}')
  equal(http.post(base .. "/echo", { json = json.null }).json.body, "null")
  raises("usage", function() http.post(base .. "/echo", { json = { x = "\xff" } }) end, "UTF-8")
end)

it("sends forms and bodies", function()
  local r = http.put(base .. "/echo", { form = { name = "A B", ["k&"] = 1 } }).json
  equal({ r.method, r.body }, { "PUT", "k%26=1&name=A+B" })
  equal(r.headers["content-type"], "application/x-www-form-urlencoded")
  r = http.patch(base .. "/echo", { body = "raw", headers = { ["Content-Type"] = "text/x" } }).json
  equal({ r.method, r.body, r.headers["content-type"] }, { "PATCH", "raw", "text/x" })
  equal(http.post(base .. "/echo", { body = "\xff\xfe" }).json.body, "\u{ff}\u{fe}")
  raises("usage", function() http.post(base, { body = "x", json = {} }) end, "only one")
end)

it("sends headers and names", function()
  local seen = http.get(base .. "/echo", { headers = { ["X-One"] = "1", ["x-two"] = 2 } }).json.headers
  equal({ seen["x-one"], seen["x-two"] }, { "1", "2" })
  seen = http.get(base .. "/echo", { auth = { user = "ana", password = "pw" } }).json.headers
  equal(seen.authorization, "Basic " .. crypto.base64("ana:pw"))
  seen = http.get(base .. "/echo", { auth = { bearer = "token" } }).json.headers
  equal(seen.authorization, "Bearer token")
  raises("usage", function() http.get(base, { auth = {} }) end, "bearer")
  raises("usage", function() http.get(base, { headers = { a = "x\r\ny" } }) end, "line break")
end)

it("sends the attempt's idempotency key with what is not a GET or HEAD", function()
  local both = step("post", function(attempt)
    local seen = http.post(base .. "/echo").json.headers["idempotency-key"]
    return { seen = seen, key = attempt.key, get = http.get(base .. "/echo").json.headers["idempotency-key"] }
  end)
  equal(both.seen, both.key)
  local keys = step("three requests, two attempts", { retry = { attempts = 2, backoff = "1ms" } }, function(attempt)
    local seen = {}
    for i = 1, 3 do seen[i] = http.put(base .. "/echo").json.headers["idempotency-key"] end
    if attempt.number == 1 then error("again") end
    return { seen = seen, key = attempt.key }
  end)
  equal(keys.seen, { keys.key, keys.key .. "-2", keys.key .. "-3" })
  equal(both.get, nil)
  equal(#http.delete(base .. "/echo").json.headers["idempotency-key"] > 10, true)
  local own = { ["idempotency-key"] = "mine" }
  equal(http.post(base .. "/echo", { headers = own }).json.headers["idempotency-key"], "mine")
end)

it("joins headers that come twice", function()
  local headers = http.get(base .. "/headers").headers
  equal(headers["x-twice"], "a, b")
  equal(headers["set-cookie"], "a=1, x\nb=2")
end)

it("follows redirects, or not", function()
  equal(http.get(base .. "/redirect").json.path, "/echo")
  equal(http.get(base .. "/redirect", { redirects = 0 }).status, 302)
end)

it("makes any request from one table", function()
  local r = http.request { method = "options", url = base .. "/echo", query = { a = 1 } }
  equal({ r.json.method, r.json.query }, { "OPTIONS", "a=1" })
  equal(http.request { method = "HEAD", url = base .. "/text" }.body, "")
  equal(http.request { url = base .. "/text" }.status, 200)
  raises("usage", function() http.request { method = "GET" } end, "'url'")
end)

it("tries again when told, and honours Retry-After", function()
  equal(http.get(base .. "/flaky/a/2").status, 503)
  equal(http.get(base .. "/flaky/b/2", { retry = 3 }).body, "3")
  equal(http.post(base .. "/flaky/c/1", { retry = { attempts = 2, backoff = "1ms" }, check = true }).body, "2")
  equal(http.get(base .. "/flaky/d/5", { retry = 2 }).status, 503)
  equal(http.get(base .. "/after/3600", { retry = { attempts = 5, max = "10s" } }).status, 503)
  raises("io", function() http.get(base .. "/drop", { retry = { attempts = 2, backoff = "1ms", max = "5ms" } }) end)
end)

it("raises timeout, io and usage when nothing came back", function()
  raises("timeout", function() http.get(base .. "/hang", { timeout = "50ms" }) end)
  raises("io", function() http.get("http://127.0.0.1:1/") end, "refused")
  raises("usage", function() http.get("ftp://127.0.0.1/") end)
  raises("usage", function() http.get("") end, "URL")
end)

it("uses the proxy that it is given", function()
  equal(http.get("http://example.invalid/echo", { proxy = base }).json.headers.host, "example.invalid")
end)

it("is cancelled with its branch, also between two tries", function()
  equal(race { slow = function() return http.get(base .. "/hang") end, fast = function() return "fast" end }, "fast")
  equal(race {
    slow = function()
      return http.get("http://127.0.0.1:1/", { retry = { attempts = 9, backoff = "1h", max = "1h" } })
    end,
    fast = function() return http.get(base .. "/text").status end,
  }, 200)
end)

it("names the nearest option and refuses wrong ones", function()
  raises("usage", function() http.get(base, { timout = 1 }) end, "did you mean 'timeout'")
  raises("usage", function() http.get(base, { url = base }) end, "unknown option 'url'")
  raises("usage", function() http.get(base, { auth = { usr = "x" } }) end, "did you mean 'user'")
  raises("usage", function() http.get(base, { redirects = -1 }) end, "redirects")
  raises("usage", function() http.get(base, { query = "a=1" }) end, "query")
  raises("usage", function() http.get(base, { retry = 0 }) end, "retry")
  raises("usage", function() http.get(base, { stream = true }) end, "stream")
  raises("usage", function() http.get { url = base } end, "URL")
end)

return spec.done()
