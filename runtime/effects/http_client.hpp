// The HTTP client: libcurl's multi interface on the worker's loop. Connections are kept and used again.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/effects/effect.hpp"
#include "runtime/loop/loop.hpp"

namespace perilune::effects {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;                    // http:// or https:// only
  Headers headers;                    // CR, LF and NUL are refused
  std::string body;
  std::string user, password;         // basic authentication when user is not empty
  int64_t timeout_us = 60'000'000;    // of the whole exchange; 0 = none
  int64_t connect_timeout_us = 10'000'000;
  int max_redirects = 10;             // 0 = do not follow
  size_t body_limit = 64u << 20;      // a longer response is an error "limit"
  std::string proxy;                  // empty = environment (http_proxy ...), "none" = no proxy
  std::string ca_file;                // empty = the system's
  bool verify_tls = true;
  // Body as it comes (also kept in the response unless stream_only).
  std::function<void(std::string_view chunk)> on_data;
  bool stream_only = false;
};

struct HttpResponse {
  int status = 0;
  Headers headers;                    // names in lower case, of the last response only
  std::string body;
  std::string effective_url;
  int64_t duration_us = 0;
};

// Destroying the client drops what is in flight: connections are closed, no `done` is called any more.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any status is a result. Errors: "timeout", "io" (refused, DNS, TLS: message says which and names the host), "limit",
  // "usage" (bad URL, scheme or header), "cancelled".
  virtual std::unique_ptr<Effect> send(HttpRequest request, Done<HttpResponse> done) = 0;
};

std::unique_ptr<HttpClient> make_http_client(loop::Loop& loop);

}  // namespace perilune::effects
