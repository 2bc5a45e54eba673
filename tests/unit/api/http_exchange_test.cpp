// Tries and results of HTTP calls, with a client that answers from a list and time that moves when told.
// SPDX-License-Identifier: MIT
#include "bindings/api/http_exchange.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/loop/sim_loop.hpp"

using namespace perilune;
using namespace perilune::api;
using effects::Done;
using effects::Effect;
using effects::HttpRequest;
using effects::HttpResponse;
using nlohmann::json;

namespace {

HttpResponse response_of(int status, std::string body = "", effects::Headers headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

// Answers are given by answer(), which is the loop's callback of the real client.
class ScriptedClient final : public effects::HttpClient {
 public:
  std::unique_ptr<Effect> send(HttpRequest, Done<HttpResponse> done) override {
    ++sent;
    pending = std::move(done);
    return std::make_unique<Pending>(*this);
  }
  void answer(Result<HttpResponse> result) {
    const Done<HttpResponse> done = std::move(pending);
    pending = nullptr;
    done(std::move(result));
  }

  int sent = 0;
  bool cancelled = false;
  Done<HttpResponse> pending;

 private:
  struct Pending final : Effect {
    explicit Pending(ScriptedClient& its_client) : client(its_client) {}
    void cancel() override { client.cancelled = true; }
    ScriptedClient& client;
  };
};

struct Bench {
  void start(HttpRetry retry, bool check = false) {
    HttpPlan plan;
    plan.call = "http.get";
    plan.request.url = "http://user:pw@host:8080/path?secret=1";
    plan.retry = retry;
    plan.check = check;
    effect = send_http(client, loop, std::move(plan), [this](Result<std::string> result) {
      effect.reset();  // as an effect call does
      outcome = std::move(result);
    });
  }
  void run_all() {
    while (loop.step()) {
    }
  }
  // How long it takes until the next try is sent, or the exchange is over.
  int64_t wait_us() {
    const int64_t began_us = loop.clock().mono_us();
    const int before = client.sent;
    while (client.sent == before && !outcome && loop.step()) {
    }
    return loop.clock().mono_us() - began_us;
  }

  loop::SimLoop loop;
  ScriptedClient client;
  std::unique_ptr<Effect> effect;
  std::optional<Result<std::string>> outcome;
};

}  // namespace

TEST_CASE("a connection that fails and a server that is away are tried again, with growing pauses") {
  Bench bench;
  bench.start({3, 500'000, 2, 30'000'000});
  bench.client.answer(Error(code::k_io, "http: connection refused"));
  CHECK(bench.wait_us() == 500'000);
  bench.client.answer(response_of(502));
  CHECK(bench.wait_us() == 1'000'000);
  bench.client.answer(response_of(200, "yes"));
  REQUIRE(bench.outcome);
  CHECK(json::parse(bench.outcome->value())["body"] == "yes");
  CHECK(bench.client.sent == 3);
}

TEST_CASE("Retry-After counts in place of the back-off, and ends the tries when it asks for too much") {
  Bench bench;
  bench.start({3, 500'000, 2, 30'000'000});
  bench.client.answer(response_of(503, "", {{"retry-after", "7"}}));
  CHECK(bench.wait_us() == 7'000'000);
  bench.client.answer(response_of(503, "later", {{"retry-after", "31"}}));
  REQUIRE(bench.outcome);
  CHECK(json::parse(bench.outcome->value())["status"] == 503);
}

TEST_CASE("what a second try would not mend is not tried again") {
  for (int status : {200, 404, 500}) {
    Bench bench;
    bench.start({5});
    bench.client.answer(response_of(status));
    CHECK(bench.outcome.has_value());
  }
  Bench bench;
  bench.start({5});
  bench.client.answer(Error(code::k_timeout, "http: http://host: too slow"));
  REQUIRE(bench.outcome);
  CHECK(bench.outcome->error().code == code::k_timeout);
  CHECK(bench.outcome->error().message == "http.get: http://host: too slow");
}

TEST_CASE("an exchange that waits for its next try is cancelled by itself") {
  Bench bench;
  bench.start({5});
  bench.client.answer(response_of(503));
  bench.effect->cancel();
  CHECK_FALSE(bench.outcome.has_value());
  bench.run_all();
  REQUIRE(bench.outcome);
  CHECK(bench.outcome->error().code == code::k_cancelled);
  CHECK(bench.client.sent == 1);
}

TEST_CASE("an exchange that is cancelled or dropped under way sends nothing more") {
  Bench cancelled;
  cancelled.start({5});
  cancelled.effect->cancel();
  CHECK(cancelled.client.cancelled);
  cancelled.client.answer(Error(code::k_io, "http: closed"));
  CHECK(cancelled.outcome.has_value());
  CHECK(cancelled.client.sent == 1);

  Bench dropped;
  dropped.start({5});
  dropped.client.answer(response_of(503));
  dropped.effect.reset();
  dropped.run_all();
  CHECK_FALSE(dropped.outcome.has_value());
  CHECK(dropped.client.sent == 1);
}

TEST_CASE("a checked status is an error that hides path, query and user") {
  Bench bench;
  bench.start({1}, true);
  bench.client.answer(response_of(429, std::string(1999, 'x') + "\xC3\xB6", {{"retry-after", "2"}}));
  REQUIRE(bench.outcome);
  const Error& error = bench.outcome->error();
  CHECK(error.code == code::k_http_status);
  CHECK(error.message == "http.get: http://host:8080 answered with status 429");
  CHECK(error.retry_after_s == 2);
  CHECK(json::parse(error.data)["body"] == std::string(1999, 'x'));
}

TEST_CASE("Retry-After is a number of seconds or a date") {
  const auto asked = [](const char* value) {
    return retry_after_s(response_of(503, "", {{"retry-after", value}}), 784'111'775'000'000);
  };
  CHECK(asked(" 120 ") == 120);
  CHECK(asked("Sun, 06 Nov 1994 08:49:37 GMT") == 2);
  CHECK(asked("Sun, 06 Nov 1994 08:00:00 GMT") == 0);
  CHECK(asked("soon") == -1);
  CHECK(asked("-5") == -1);
  CHECK(retry_after_s(response_of(503), 0) == -1);
}

TEST_CASE("a response is plain data, with bytes and the server's own marks kept") {
  HttpResponse response = response_of(200, "\xff", {{"a", "1"}, {"a", "2"}, {"set-cookie", "x"}, {"set-cookie", "y"}});
  CHECK(json::parse(http_result_json(response)) ==
        json::parse(
            R"({"status":200,"duration":0.0,"body":{"$bytes":"/w=="},"headers":{"a":"1, 2","set-cookie":"x\ny"}})"));
  response = response_of(200, R"({"$bytes":"aGk="})", {{"content-type", "Application/JSON; charset=utf-8"}});
  CHECK(json::parse(http_result_json(response))["json"] == json::parse(R"({"$$bytes":"aGk="})"));
  response.body = std::string(200, '[') + std::string(200, ']');
  CHECK_FALSE(json::parse(http_result_json(response)).contains("json"));
}
