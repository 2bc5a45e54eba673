// How exchanges of the HTTP client end: streaming, cancel, detaching, and the client's own end, at every moment.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <future>
#include <set>
#include <stdexcept>
#include <vector>

#include "tests/unit/effects/http_harness.hpp"

namespace perilune::effects {

namespace {

// Two chunks at once, then silence until the client goes.
void begin_a_stream(ScriptedServer::Connection& connection) {
  if (!connection.read()) return;
  connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n");
  connection.wait_until_closed();
}

void say_nothing(ScriptedServer::Connection& connection) { connection.wait_until_closed(); }

// Runs what is posted, and what that posts, without waiting for any I/O of the tests' own.
void run_posted(loop::Loop& loop, int rounds = 3) {
  for (int i = 0; i < rounds; ++i) {
    loop.post([&] { loop.stop(); });
    loop.run();
  }
}

}  // namespace

TEST_CASE("A body is given chunk by chunk while the server still sends", "[http]") {
  std::promise<void> first_seen;
  auto wait_for_first = first_seen.get_future().share();
  ScriptedServer server([=](ScriptedServer::Connection& connection) {
    connection.read();
    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    wait_for_first.wait();  // the second chunk is sent only when the first has come through
    connection.write("3\r\ntwo\r\n0\r\n\r\n");
  });
  Harness harness;
  HttpRequest request = get(server.url());
  request.stream_only = GENERATE(false, true);
  std::vector<std::string> chunks;
  request.on_data = [&](std::string_view chunk) {
    if (chunks.empty()) first_seen.set_value();
    chunks.emplace_back(chunk);
  };
  auto result = harness.fetch(request);
  REQUIRE(result.ok());
  CHECK(chunks == std::vector<std::string>{"one", "two"});
  CHECK(result->body == (request.stream_only ? "" : "onetwo"));
}

TEST_CASE("A cancelled stream ends as cancelled, once, and gives no more data", "[http]") {
  const bool inside_on_data = GENERATE(true, false);
  ScriptedServer server(begin_a_stream);
  Harness harness;
  std::unique_ptr<Effect> effect;
  std::vector<std::string> codes;
  int chunks = 0;
  HttpRequest request = get(server.url());
  request.on_data = [&](std::string_view) {
    ++chunks;
    if (inside_on_data) {
      effect->cancel();
    } else {
      harness.loop->post([&] { effect->cancel(); });
    }
    CHECK(codes.empty());
  };
  effect = harness.client->send(request, [&](Result<HttpResponse> result) {
    codes.push_back(result.ok() ? "ok" : result.error().code);
    harness.loop->stop();
  });
  harness.loop->run();
  effect->cancel();
  run_posted(*harness.loop);
  CHECK(codes == std::vector<std::string>{"cancelled"});
  CHECK(chunks >= 1);
  if (inside_on_data) CHECK(chunks == 1);
}

TEST_CASE("Cancel right after send, before anything was sent, is called back from the loop", "[http]") {
  ScriptedServer server(always(200, "ok"));
  Harness harness;
  std::string code;
  auto effect = harness.client->send(get(server.url()), [&](Result<HttpResponse> result) {
    code = result.ok() ? "ok" : result.error().code;
    harness.loop->stop();
  });
  effect->cancel();
  effect->cancel();
  CHECK(code.empty());
  harness.loop->run();
  CHECK(code == "cancelled");
}

TEST_CASE("A POST finds a kept connection that died while idle, and takes a new one", "[http]") {
  const bool reset = GENERATE(false, true);
  std::promise<void> answered;
  std::promise<void> cut;
  ScriptedServer server([&](ScriptedServer::Connection& connection) {
    while (connection.read()) {
      connection.answer(200, "ok");
      if (connection.number > 1) continue;
      answered.get_future().wait();
      connection.cut(reset);
      cut.set_value();
    }
  });
  Harness harness;
  REQUIRE(harness.fetch(get(server.url())).ok());
  answered.set_value();
  cut.get_future().wait();
  HttpRequest request = get(server.url());
  request.method = "POST";
  request.body = "pay";
  auto result = harness.fetch(request);
  CAPTURE(reset, result.ok() ? "" : result.error().message);
  CHECK(result.ok());
  CHECK(server.accepted() == 2);
}

TEST_CASE("A name that is being looked up can be cancelled", "[http]") {
  Harness harness;
  std::string code;
  auto effect = harness.client->send(get("http://nowhere.invalid/"), [&](Result<HttpResponse> result) {
    code = result.ok() ? "ok" : result.error().code;
    harness.loop->stop();
  });
  harness.loop->post([&] { effect->cancel(); });
  harness.loop->run();
  CHECK(code == "cancelled");
}

TEST_CASE("Destroying the effect detaches it: done is never called, the connection is closed", "[http]") {
  const bool inside_on_data = GENERATE(true, false);
  std::promise<void> gone;
  auto client_gone = gone.get_future();
  ScriptedServer server([&](ScriptedServer::Connection& connection) {
    begin_a_stream(connection);
    gone.set_value();
  });
  Harness harness;
  bool called = false;
  std::unique_ptr<Effect> effect;
  HttpRequest request = get(server.url());
  request.on_data = [&](std::string_view) {
    if (inside_on_data) effect.reset();
    harness.loop->stop();
  };
  effect = harness.client->send(request, [&](Result<HttpResponse>) { called = true; });
  harness.loop->run();
  effect.reset();
  run_posted(*harness.loop);
  client_gone.wait();
  CHECK_FALSE(called);
}

TEST_CASE("The client may be destroyed with exchanges in flight, at every stage of them", "[http]") {
  ScriptedServer silent(say_nothing);
  ScriptedServer streaming(begin_a_stream);
  ScriptedServer quick(always(200, "ok"));
  const int rounds = GENERATE(0, 1, 2, 3, 5, 10);
  Harness harness;
  std::vector<std::unique_ptr<Effect>> effects;
  int done = 0;
  REQUIRE(harness.fetch(get(quick.url())).ok());  // leaves a kept connection
  for (const std::string& url :
       {silent.url(), streaming.url(), quick.url(), std::string("http://nowhere.invalid/"), std::string("ftp://x/")}) {
    effects.push_back(harness.client->send(get(url), [&](Result<HttpResponse>) { ++done; }));
  }
  run_posted(*harness.loop, rounds);
  const int done_before = done;
  harness.client.reset();
  for (auto& effect : effects) effect->cancel();
  run_posted(*harness.loop);
  CHECK(done == done_before);
}

TEST_CASE("A destroyed client leaves no timer behind", "[http]") {
  ScriptedServer silent(say_nothing);
  Harness harness;
  HttpRequest request = get(silent.url());
  request.timeout_us = 20'000;
  bool called = false;
  auto effect = harness.client->send(request, [&](Result<HttpResponse>) { called = true; });
  run_posted(*harness.loop);
  harness.client.reset();
  harness.loop->start_timer(40'000,
                            [&] { harness.loop->stop(); });  // past the time-out: a timer would use freed memory
  harness.loop->run();
  CHECK_FALSE(called);
}

TEST_CASE("The client may be destroyed inside on_data and inside done", "[http]") {
  const bool inside_on_data = GENERATE(true, false);
  ScriptedServer server(always(200, "ok"));
  ScriptedServer silent(say_nothing);
  Harness harness;
  int done = 0;
  auto destroy = [&] {
    harness.client.reset();
    harness.loop->stop();
  };
  auto other = harness.client->send(get(silent.url()), [&](Result<HttpResponse>) { ++done; });
  HttpRequest request = get(server.url());
  if (inside_on_data) request.on_data = [&](std::string_view) { destroy(); };
  auto effect = harness.client->send(request, [&](Result<HttpResponse>) {
    ++done;
    destroy();
  });
  harness.loop->run();
  run_posted(*harness.loop);
  CHECK(done == (inside_on_data ? 0 : 1));
}

TEST_CASE("A request may be sent inside on_data and inside done, and an effect destroyed in its own done", "[http]") {
  ScriptedServer server(always(200, "ok"));
  Harness harness;
  std::vector<std::unique_ptr<Effect>> effects(3);
  int answers = 0;
  auto count = [&](Result<HttpResponse> result) {
    CHECK(result.ok());
    if (++answers == 3) harness.loop->stop();
  };
  HttpRequest request = get(server.url());
  request.on_data = [&](std::string_view) { effects[1] = harness.client->send(get(server.url()), count); };
  effects[0] = harness.client->send(request, [&](Result<HttpResponse> result) {
    effects[2] = harness.client->send(get(server.url()), count);
    effects[0].reset();
    count(std::move(result));
  });
  harness.loop->run();
  CHECK(answers == 3);
}

TEST_CASE("A hundred exchanges at once all end, each with its own answer", "[http]") {
  ScriptedServer server([](ScriptedServer::Connection& connection) {
    while (auto request = connection.read()) connection.answer(200, request->body);
  });
  Harness harness;
  std::vector<std::unique_ptr<Effect>> effects;
  std::set<std::string> bodies;
  for (int i = 0; i < 100; ++i) {
    HttpRequest request = get(server.url());
    request.method = "POST";
    request.body = std::to_string(i);
    effects.push_back(harness.client->send(request, [&, i](Result<HttpResponse> result) {
      REQUIRE(result.ok());
      CHECK(result->body == std::to_string(i));
      if (bodies.insert(result->body).second && bodies.size() == 100) harness.loop->stop();
    }));
  }
  harness.loop->run();
  CHECK(bodies.size() == 100);
}

TEST_CASE("An exception in on_data ends the exchange with an error", "[http]") {
  ScriptedServer server(always(200, "ok"));
  Harness harness;
  HttpRequest request = get(server.url());
  request.on_data = [](std::string_view) { throw std::runtime_error("no room"); };
  auto result = harness.fetch(request);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_internal);
  CHECK_THAT(result.error().message, Catch::Contains("no room"));
}

}  // namespace perilune::effects
