// The HTTP client against a scripted server on this machine: results, limits, errors, connections.
// Ends of exchanges (cancel, destruction) are in http_lifetime_test.cpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/http_client.hpp"

#include <catch2/catch.hpp>

#include "runtime/loop/sim_loop.hpp"
#include "tests/unit/effects/http_harness.hpp"

namespace perilune::effects {

namespace {

// Plays the answers one after the other, one a request, whatever the connection.
ScriptedServer::Script in_turn(std::vector<std::string> answers) {
  auto next = std::make_shared<std::atomic<size_t>>(0);
  return [=](ScriptedServer::Connection& connection) {
    while (connection.read()) {
      const size_t index = next->fetch_add(1);
      if (index >= answers.size() || !connection.write(answers[index])) return;
    }
  };
}

std::string redirect(int status, const std::string& location) {
  return "HTTP/1.1 " + std::to_string(status) + " R\r\nLocation: " + location +
         "\r\nX-Hop: yes\r\nContent-Length: 3\r\n\r\nhop";
}

const std::string k_ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace

TEST_CASE("A GET gives status, body and the headers in lower case", "[http]") {
  ScriptedServer server(always(200, "hello", "X-Thing:  One \r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  Harness harness;
  auto result = harness.fetch(get(server.url("/a?b=c")));
  REQUIRE(result.ok());
  CHECK(result->status == 200);
  CHECK(result->body == "hello");
  CHECK(result->headers ==
        Headers{{"content-length", "5"}, {"x-thing", "One"}, {"set-cookie", "a=1"}, {"set-cookie", "b=2"}});
  CHECK(result->effective_url == server.url("/a?b=c"));
  CHECK(result->duration_us > 0);
  const SeenRequest seen = server.requests().at(0);
  CHECK(seen.line == "GET /a?b=c HTTP/1.1");
  CHECK(seen.has("User-Agent: perilune\r\n"));
  CHECK_FALSE(lower_case(seen.head).find("accept-encoding") != std::string::npos);
}

TEST_CASE("A POST sends its body, byte for byte, and no content type of its own", "[http]") {
  ScriptedServer server(always(201, ""));
  Harness harness;
  HttpRequest request = get(server.url());
  request.method = "post";
  for (const std::string& body : {std::string("a\0b\r\n", 5), std::string(3 << 20, 'x'), std::string()}) {
    request.body = body;
    auto result = harness.fetch(request);
    REQUIRE(result.ok());
    CHECK(result->status == 201);
    const SeenRequest seen = server.requests().back();
    CHECK(seen.line == "POST / HTTP/1.1");
    CHECK((seen.body == body));
    CHECK(seen.has("Content-Length: " + std::to_string(body.size()) + "\r\n"));
    CHECK_FALSE(seen.has("Content-Type"));
    CHECK_FALSE(seen.has("Expect"));
  }
}

TEST_CASE("PUT, PATCH, DELETE, OPTIONS and GET with a body go out as they are called", "[http]") {
  ScriptedServer server(always(200, "ok"));
  Harness harness;
  for (const char* method : {"PUT", "PATCH", "DELETE", "OPTIONS", "GET", "PURGE"}) {
    for (const char* body : {"", "{}"}) {
      HttpRequest request = get(server.url());
      request.method = method;
      request.body = body;
      REQUIRE(harness.fetch(request).ok());
      CHECK(server.requests().back().line == method + std::string(" / HTTP/1.1"));
      CHECK(server.requests().back().body == body);
    }
  }
}

TEST_CASE("A HEAD request does not wait for a body", "[http]") {
  ScriptedServer server([](ScriptedServer::Connection& connection) {
    connection.read();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    connection.wait_until_closed();
  });
  Harness harness;
  HttpRequest request = get(server.url());
  request.method = "HEAD";
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(result->body.empty());
  CHECK(result->headers == Headers{{"content-length", "1000"}});
}

TEST_CASE("Headers are sent as given, empty ones too", "[http]") {
  ScriptedServer server(always(200, ""));
  Harness harness;
  HttpRequest request = get(server.url());
  request.headers = {{"X-A", "1"}, {"X-Empty", ""}, {"Content-Length", "0"}, {"User-Agent", "mine"}};
  REQUIRE(harness.fetch(request).ok());
  const SeenRequest seen = server.requests().at(0);
  CHECK(seen.has("\r\nX-A: 1\r\n"));
  CHECK(seen.has("\r\nX-Empty:\r\n"));
  CHECK(seen.has("\r\nUser-Agent: mine\r\n"));
  CHECK_FALSE(seen.has("Content-Length"));
}

TEST_CASE("Any status is a result", "[http]") {
  for (const int status : {204, 304, 401, 404, 500, 599}) {
    ScriptedServer server(always(status, status == 204 || status == 304 ? "" : "why"));
    Harness harness;
    auto result = harness.fetch(get(server.url()));
    REQUIRE(result.ok());
    CHECK(result->status == status);
  }
}

TEST_CASE("A chunked answer is put together, its framing is gone", "[http]") {
  ScriptedServer server(
      in_turn({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"}));
  Harness harness;
  auto result = harness.fetch(get(server.url()));
  REQUIRE(result.ok());
  CHECK(result->body == "hello world");
}

TEST_CASE("A folded header line is joined, and 100 Continue is not the answer", "[http]") {
  ScriptedServer server(
      in_turn({"HTTP/1.1 100 Continue\r\nX-Not: this\r\n\r\n"
               "HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\nContent-Length: 0\r\n\r\n"}));
  Harness harness;
  auto result = harness.fetch(get(server.url()));
  REQUIRE(result.ok());
  CHECK(result->headers == Headers{{"x-long", "a b"}, {"content-length", "0"}});
}

TEST_CASE("Redirects are followed; headers and body are those of the last answer", "[http]") {
  ScriptedServer server(in_turn({redirect(302, "/b"), redirect(301, "c?q"), k_ok}));
  Harness harness;
  HttpRequest request = get(server.url("/a/a"));
  std::string streamed;
  request.on_data = [&](std::string_view chunk) { streamed += chunk; };
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(result->status == 200);
  CHECK(result->body == "ok");
  CHECK(streamed == "ok");
  CHECK(result->headers == Headers{{"content-length", "2"}});
  CHECK(result->effective_url == server.url("/c?q"));
  CHECK(server.requests().size() == 3);
}

TEST_CASE("With max_redirects 0 a redirect is the result", "[http]") {
  ScriptedServer server(in_turn({redirect(302, "/b")}));
  Harness harness;
  HttpRequest request = get(server.url());
  request.max_redirects = 0;
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(result->status == 302);
  CHECK(result->body == "hop");
}

TEST_CASE("More redirects than allowed are an error of code limit", "[http]") {
  ScriptedServer server([](ScriptedServer::Connection& connection) {
    while (connection.read()) connection.write(redirect(302, "/again"));
  });
  Harness harness;
  HttpRequest request = get(server.url());
  request.max_redirects = 3;
  auto result = harness.fetch(request);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_limit);
  CHECK_THAT(result.error().message, Catch::Contains("more than 3 redirects") && Catch::Contains("127.0.0.1"));
  CHECK(server.requests().size() == 4);
}

TEST_CASE("Which method and body a redirect keeps", "[http]") {
  struct Case {
    const char* method;
    int status;
    const char* then;
    bool keeps_body;
  };
  const Case c = GENERATE(
      Case{"POST", 302, "GET", false}, Case{"POST", 303, "GET", false}, Case{"POST", 307, "POST", true},
      Case{"POST", 308, "POST", true}, Case{"PUT", 302, "PUT", true}, Case{"PUT", 303, "GET", false},
      Case{"PATCH", 307, "PATCH", true}, Case{"DELETE", 303, "GET", false}, Case{"DELETE", 302, "DELETE", true});
  CAPTURE(c.method, c.status);
  ScriptedServer server(in_turn({redirect(c.status, "/b"), k_ok}));
  Harness harness;
  HttpRequest request = get(server.url("/a"));
  request.method = c.method;
  request.body = "payload";
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(server.requests().at(1).line == c.then + std::string(" /b HTTP/1.1"));
  CHECK(server.requests().at(1).body == (c.keeps_body ? "payload" : ""));
}

TEST_CASE("A redirect to another scheme is an error, not a request", "[http]") {
  ScriptedServer server(in_turn({redirect(302, "file:///etc/passwd")}));
  Harness harness;
  auto result = harness.fetch(get(server.url()));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_io);
}

TEST_CASE("Basic authentication is sent, and not on to another origin", "[http]") {
  ScriptedServer other(always(200, "other"));
  ScriptedServer server(in_turn({k_ok, redirect(302, other.url())}));
  Harness harness;
  HttpRequest request = get(server.url());
  request.user = "Aladdin";
  request.password = "open sesame";
  REQUIRE(harness.fetch(request).ok());
  CHECK(server.requests().at(0).has("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(result->body == "other");
  CHECK_FALSE(other.requests().at(0).has("Authorization"));
}

TEST_CASE("A password in the URL is used, and does not come back in effective_url", "[http]") {
  ScriptedServer server(always(200, ""));
  Harness harness;
  auto result = harness.fetch(get("http://Aladdin:open%20sesame@127.0.0.1:" + std::to_string(server.port()) + "/x"));
  REQUIRE(result.ok());
  CHECK(server.requests().at(0).has("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
  CHECK(result->effective_url == server.url("/x"));
}

TEST_CASE("A proxy gets the whole URL", "[http]") {
  ScriptedServer proxy(always(200, "by proxy"));
  Harness harness;
  HttpRequest request = get("http://nowhere.invalid/x");
  request.proxy = proxy.url();
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(result->body == "by proxy");
  CHECK(proxy.requests().at(0).line == "GET http://nowhere.invalid/x HTTP/1.1");
}

TEST_CASE("A server that never answers is a timeout that names the host", "[http]") {
  ScriptedServer server([](ScriptedServer::Connection& connection) { connection.wait_until_closed(); });
  Harness harness;
  HttpRequest request = get(server.url("/secret-path"));
  request.timeout_us = 50'000;
  auto result = harness.fetch(request);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_timeout);
  CHECK_THAT(result.error().message, Catch::Contains(server.url("").substr(7)) && !Catch::Contains("secret-path"));
}

TEST_CASE("A refused connection is an io error that says so and names the host", "[http]") {
  int port = 0;
  { port = ScriptedServer(always(200, "")).port(); }
  Harness harness;
  auto result = harness.fetch(get("http://127.0.0.1:" + std::to_string(port) + "/"));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_io);
  CHECK_THAT(result.error().message,
             Catch::Contains("refused") && Catch::Contains("http://127.0.0.1:" + std::to_string(port)));
}

TEST_CASE("A server that does not speak TLS is an io error that says TLS", "[http]") {
  ScriptedServer server([](ScriptedServer::Connection& connection) { connection.write("no TLS here\r\n\r\n"); });
  Harness harness;
  auto result = harness.fetch(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_io);
  CHECK_THAT(result.error().message, Catch::Contains("TLS") && Catch::Contains("127.0.0.1"));
}

TEST_CASE("A connection cut before or within the answer is an io error", "[http]") {
  const std::string sent = GENERATE("", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nX: y\r\n",
                                    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  ScriptedServer server([sent](ScriptedServer::Connection& connection) {
    connection.read();
    connection.write(sent);
  });
  Harness harness;
  auto result = harness.fetch(get(server.url()));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_io);
}

TEST_CASE("Bad URLs, schemes and headers are usage errors and reach no server", "[http]") {
  ScriptedServer server(always(200, ""));
  Harness harness;
  for (const std::string url : {"ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1/x", "http://", "http://a b/", "x",
                                "http://127.0.0.1:99999/"}) {
    CAPTURE(url);
    auto result = harness.fetch(get(url));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == code::k_usage);
  }
  HttpRequest request = get(server.url());
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  auto result = harness.fetch(request);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_usage);
  CHECK(server.accepted() == 0);
}

TEST_CASE("A body over the limit is an error of code limit, at the limit it is fine", "[http]") {
  ScriptedServer server(always(200, std::string(100'000, 'x')));
  Harness harness;
  HttpRequest request = get(server.url());
  request.body_limit = 100'000;
  REQUIRE(harness.fetch(request).ok());
  request.body_limit = 99'999;
  request.stream_only = GENERATE(false, true);
  auto result = harness.fetch(request);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_limit);
  CHECK_THAT(result.error().message, Catch::Contains("99999 bytes"));
}

TEST_CASE("A flood of headers is an error of code limit", "[http]") {
  ScriptedServer server([](ScriptedServer::Connection& connection) {
    connection.read();
    connection.write("HTTP/1.1 200 OK\r\n");
    while (connection.write("X-Flood: " + std::string(8000, 'x') + "\r\n")) {
    }
  });
  Harness harness;
  auto result = harness.fetch(get(server.url()));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_limit);
}

TEST_CASE("A connection is kept and used again", "[http]") {
  ScriptedServer server(always(200, "ok"));
  Harness harness;
  for (int i = 0; i < 5; ++i) REQUIRE(harness.fetch(get(server.url())).ok());
  HttpRequest request = get(server.url());
  request.method = "POST";
  request.body = "x";
  REQUIRE(harness.fetch(request).ok());
  CHECK(server.requests().size() == 6);
  CHECK(server.accepted() == 1);
}

TEST_CASE("When a kept connection dies unanswered, a GET is sent again and a POST is not", "[http]") {
  const std::string method = GENERATE("GET", "PUT", "POST", "PATCH");
  ScriptedServer server([](ScriptedServer::Connection& connection) {
    if (!connection.read()) return;
    connection.answer(200, "ok");
    if (!connection.read()) return;
    if (connection.number > 1) connection.answer(200, "again");
  });
  Harness harness;
  REQUIRE(harness.fetch(get(server.url())).ok());
  HttpRequest request = get(server.url());
  request.method = method;
  request.body = "pay";
  auto result = harness.fetch(request);
  CAPTURE(method, server.accepted());
  const bool again = is_idempotent(method);
  CHECK(server.requests().size() == (again ? 3 : 2));
  CHECK(result.ok() == again);
  if (!again) CHECK(result.error().code == code::k_io);
}

TEST_CASE("A POST without a body goes by a new connection, for it could be sent twice on a kept one", "[http]") {
  ScriptedServer server(always(200, "ok"));
  Harness harness;
  REQUIRE(harness.fetch(get(server.url())).ok());
  HttpRequest request = get(server.url());
  request.method = "POST";
  REQUIRE(harness.fetch(request).ok());
  CHECK(server.accepted() == 2);
}

TEST_CASE("A loop in simulated time has no network and says so", "[http]") {
  loop::SimLoop loop;
  auto client = make_http_client(loop);
  std::string code;
  auto effect =
      client->send(get("http://127.0.0.1/"), [&](Result<HttpResponse> result) { code = result.error().code; });
  CHECK(code.empty());
  loop.run();
  CHECK(code == code::k_internal);
}

}  // namespace perilune::effects
