// See http_request_check.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/http_request_check.hpp"

#include <algorithm>
#include <array>

namespace perilune::effects {

namespace {

constexpr std::string_view k_control = {"\r\n\0", 3};

bool is_token(std::string_view text) {  // RFC 9110, 5.6.2
  constexpr std::string_view k_marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           k_marks.find(c) != std::string_view::npos;
  });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Error usage(std::string message) { return {code::k_usage, "http: " + std::move(message)}; }

std::optional<Error> check_header(const std::string& name, const std::string& value, size_t body_bytes) {
  if (!is_token(name)) {
    return usage(name.find_first_of(k_control) != std::string::npos
                     ? "a header name has a line break or a NUL in it"
                     : "'" + name + "' is no header name: letters, digits and !#$%&'*+-.^_`|~ are allowed");
  }
  if (value.find_first_of(k_control) != std::string::npos) {
    return usage("the value of header '" + name + "' has a line break or a NUL in it");
  }
  if (same_but_case(name, "transfer-encoding")) return usage("header 'Transfer-Encoding' is set by the client alone");
  if (same_but_case(name, "content-length") && trim_blanks(value) != std::to_string(body_bytes)) {
    return usage("header 'Content-Length' is not the length of the body: leave it out, the client sets it");
  }
  return {};
}

}  // namespace

std::optional<Error> check_request(const HttpRequest& request) {
  if (!is_token(request.method) || same_but_case(request.method, "connect")) {
    return usage("the method is not one that can be sent (GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS ...)");
  }
  if (same_but_case(request.method, "head") && !request.body.empty()) return usage("a HEAD request has no body");
  if (request.url.empty()) return usage("the URL is empty");
  const std::array<std::pair<const char*, const std::string*>, 5> texts = {{{"URL", &request.url},
                                                                            {"user", &request.user},
                                                                            {"password", &request.password},
                                                                            {"proxy", &request.proxy},
                                                                            {"ca_file", &request.ca_file}}};
  for (const auto& [name, text] : texts) {
    if (text->find_first_of(k_control) != std::string::npos) {
      return usage(std::string("the ") + name + " has a line break or a NUL in it");
    }
  }
  if (request.user.find(':') != std::string::npos) return usage("the user of basic authentication has a ':' in it");
  if (request.timeout_us < 0 || request.connect_timeout_us < 0) return usage("a timeout is negative");
  if (request.max_redirects < 0) return usage("max_redirects is negative");
  for (const auto& [name, value] : request.headers) {
    if (auto error = check_header(name, value, request.body.size())) return error;
  }
  return {};
}

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> k_methods = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
  return std::any_of(k_methods.begin(), k_methods.end(), [&](auto name) { return same_but_case(name, method); });
}

std::string_view trim_blanks(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(k_blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(k_blanks) - begin + 1);
}

bool same_but_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

}  // namespace perilune::effects
