// What http.* does once its options are read: sends the request, tries again where that was asked for, and makes the
// result (or, with `check`, the error) of the response.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "runtime/effects/http_client.hpp"

namespace perilune::api {

// Tries again after a connection that failed (code "io") and after 429, 502, 503 and 504. A Retry-After of the response
// counts in place of the back-off; one beyond `max_us` ends the tries.
struct HttpRetry {
  int attempts = 1;  // the first one counts
  int64_t backoff_us = 500'000;
  double factor = 2;
  int64_t max_us = 30'000'000;
};

struct HttpPlan {
  std::string call;  // "http.get"
  effects::HttpRequest request;
  HttpRetry retry;
  bool check = false;              // a status from 400 is an error
  size_t limit_bytes = 64u << 20;  // of the result
};

std::unique_ptr<effects::Effect> send_http(effects::HttpClient& client, loop::Loop& loop, HttpPlan plan,
                                           effects::Done<std::string> done);

// The result for scripts: {"status", "headers", "body", "json" (when the content type says so and it parses),
// "duration"}. A header that comes several times is joined by ", ", set-cookie by line ends.
std::string http_result_json(const effects::HttpResponse& response);

// The client's message ("http: ...") under the name of the call.
std::string http_message(const std::string& call, std::string_view message);

// Seconds from `now_us` on that a Retry-After header asks for (a number or a date), or -1.
double retry_after_s(const effects::HttpResponse& response, int64_t now_us);

}  // namespace perilune::api
