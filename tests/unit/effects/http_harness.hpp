// What the tests of the HTTP client share: a loop with a client, and a way to wait for one answer.
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/effects/http_client.hpp"
#include "runtime/effects/http_request_check.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "tests/unit/effects/scripted_server.hpp"

namespace perilune::effects {

// The environment's proxy must not come between a test and its server.
inline HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.proxy = "none";
  return request;
}

struct Harness {
  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  std::unique_ptr<HttpClient> client = make_http_client(*loop);

  Result<HttpResponse> fetch(HttpRequest request) {
    std::optional<Result<HttpResponse>> outcome;
    auto effect = client->send(std::move(request), [&](Result<HttpResponse> result) {
      outcome.emplace(std::move(result));
      loop->stop();
    });
    if (outcome) return Error("test", "done was called inside send()");
    loop->run();
    return std::move(*outcome);
  }
};

}  // namespace perilune::effects
