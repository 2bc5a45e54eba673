// Which requests are refused, and that nothing else is.
// SPDX-License-Identifier: MIT
#include "runtime/effects/http_request_check.hpp"

#include <catch2/catch.hpp>

namespace perilune::effects {

namespace {

HttpRequest plain() {
  HttpRequest request;
  request.url = "http://example.org/";
  return request;
}

std::string refusal(const HttpRequest& request) {
  const auto error = check_request(request);
  if (!error) return "";
  CHECK(error->code == code::k_usage);
  return error->message;
}

std::string refusal_of_header(std::string name, std::string value) {
  HttpRequest request = plain();
  request.headers.emplace_back(std::move(name), std::move(value));
  return refusal(request);
}

}  // namespace

TEST_CASE("An ordinary request passes the check", "[http]") {
  HttpRequest request = plain();
  request.method = "POST";
  request.body = "12345";
  request.headers = {{"Content-Type", "text/plain; a=\"ü\""}, {"X-Empty", ""}, {"content-length", "5"}};
  CHECK(refusal(request).empty());
}

TEST_CASE("A line break or NUL in a header is refused, and its value is not quoted", "[http]") {
  for (const char bad : {'\r', '\n', '\0'}) {
    const std::string secret = std::string("secret") + bad + "x: y";
    CHECK(refusal_of_header("X-Key", secret) == "http: the value of header 'X-Key' has a line break or a NUL in it");
    CHECK(refusal_of_header(secret, "v") == "http: a header name has a line break or a NUL in it");
  }
}

TEST_CASE("A header name that is no token is refused", "[http]") {
  for (const char* name : {"", "a b", "a:b", "ä", "x;"}) CHECK_FALSE(refusal_of_header(name, "v").empty());
}

TEST_CASE("Headers that would change the framing of the body are refused", "[http]") {
  CHECK_FALSE(refusal_of_header("transfer-Encoding", "chunked").empty());
  CHECK_FALSE(refusal_of_header("Content-Length", "7").empty());
  CHECK(refusal_of_header("Content-Length", "0").empty());
}

TEST_CASE("A method that is no token, CONNECT, and HEAD with a body are refused", "[http]") {
  for (const char* method : {"", "GET /x HTTP/1.1\r\nX: ", "connect", "HEAD"}) {
    HttpRequest request = plain();
    request.method = method;
    request.body = "b";
    CHECK_FALSE(refusal(request).empty());
  }
}

TEST_CASE("A line break in URL, user, password, proxy or ca_file is refused", "[http]") {
  for (auto member :
       {&HttpRequest::url, &HttpRequest::user, &HttpRequest::password, &HttpRequest::proxy, &HttpRequest::ca_file}) {
    HttpRequest request = plain();
    (request.*member).append("a\nb");
    CHECK_THAT(refusal(request), Catch::Contains("line break"));
  }
}

TEST_CASE("Negative numbers, an empty URL and a colon in the user are refused", "[http]") {
  HttpRequest request = plain();
  request.timeout_us = -1;
  CHECK_FALSE(refusal(request).empty());
  request = plain();
  request.connect_timeout_us = -1;
  CHECK_FALSE(refusal(request).empty());
  request = plain();
  request.max_redirects = -1;
  CHECK_FALSE(refusal(request).empty());
  request = plain();
  request.url = "";
  CHECK_FALSE(refusal(request).empty());
  request = plain();
  request.user = "a:b";
  CHECK_FALSE(refusal(request).empty());
}

TEST_CASE("POST and PATCH are not idempotent, PUT and DELETE are", "[http]") {
  CHECK_FALSE(is_idempotent("POST"));
  CHECK_FALSE(is_idempotent("PATCH"));
  CHECK_FALSE(is_idempotent("PURGE"));
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "get"}) CHECK(is_idempotent(method));
}

TEST_CASE("Blanks are trimmed at both ends only", "[http]") {
  CHECK(trim_blanks(" \t a b \r\n") == "a b");
  CHECK(trim_blanks("\r\n").empty());
  CHECK(lower_case("X-Ä-Key") == "x-Ä-key");
}

}  // namespace perilune::effects
