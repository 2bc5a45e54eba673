// http.get post put patch delete(url, options) and http.request{method=, url=, ...}: options become a request.
// Promises: any status is a result, and only `check` makes an error of one; methods other than GET and HEAD carry a key
// made of the attempt's idempotency key and of their place among its requests, unless the script gives an
// Idempotency-Key of its own. Sending is in http_exchange.cpp.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <nlohmann/json.hpp>

#include "bindings/api/effect_arguments.hpp"
#include "bindings/api/effect_binding.hpp"
#include "bindings/api/http_exchange.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/utf8_text.hpp"
#include "runtime/effects/http_request_check.hpp"

namespace perilune::api {

using effects::Done;
using effects::HttpRequest;
using effects::same_but_case;
using flow::EffectStep;
using nlohmann::json;

namespace {

// The first two are for http.request alone, whose one argument is the table.
constexpr std::string_view k_names[] = {"method",  "url",  "headers", "query",     "json",  "body", "form",
                                        "timeout", "auth", "retry",   "redirects", "proxy", "check"};
constexpr std::span<const std::string_view> k_request_options(k_names);
constexpr std::span<const std::string_view> k_options = k_request_options.subspan(2);
constexpr std::string_view k_auth[] = {"user", "password", "bearer"};
constexpr std::string_view k_retry[] = {"attempts", "backoff", "factor", "max"};

std::string percent_encoded(std::string_view text, bool space_as_plus) {
  constexpr std::string_view k_plain = "-._~";
  constexpr char k_hex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       k_plain.find(static_cast<char>(c)) != std::string_view::npos;
    if (plain) {
      out += static_cast<char>(c);
    } else if (c == ' ' && space_as_plus) {
      out += '+';
    } else {
      out += '%';
      out += k_hex[c >> 4];
      out += k_hex[c & 15];
    }
  }
  return out;
}

std::string url_encoded(const TextPairs& pairs, bool space_as_plus) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += percent_encoded(name, space_as_plus) + "=" + percent_encoded(value, space_as_plus);
  }
  return out;
}

void add_query(std::string& url, const TextPairs& pairs) {
  if (pairs.empty()) return;
  const size_t fragment = std::min(url.find('#'), url.size());
  const size_t question = url.find('?');
  std::string query = url_encoded(pairs, false);
  if (question >= fragment) {
    query.insert(0, "?");
  } else if (question + 1 < fragment && url[fragment - 1] != '&') {
    query.insert(0, "&");
  }
  url.insert(fragment, query);
}

bool has_header(const HttpRequest& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const auto& header) { return same_but_case(header.first, name); });
}

void set_header(HttpRequest& request, const char* name, std::string value) {
  if (!has_header(request, name)) request.headers.emplace_back(name, std::move(value));
}

void read_body(EffectArguments& arguments, EffectOptions& options, HttpRequest& request) {
  if (options.has("json") + options.has("body") + options.has("form") > 1)
    return arguments.fail("only one of the options 'json', 'body' and 'form' can be given");
  if (const json* value = options.find("json")) {
    json outside = *value;
    if (!to_outside(outside))
      return arguments.fail("option 'json' holds a string that is not UTF-8: JSON has no place for it");
    request.body = outside.dump(-1, ' ', false, json::error_handler_t::replace);
    set_header(request, "Content-Type", "application/json");
    set_header(request, "Accept", "application/json");
  } else if (options.has("form")) {
    request.body = url_encoded(options.pairs("form"), true);
    set_header(request, "Content-Type", "application/x-www-form-urlencoded");
  } else {
    request.body = options.text("body");
  }
}

void read_auth(EffectArguments& arguments, EffectOptions& options, HttpRequest& request) {
  if (!options.has("auth")) return;
  EffectOptions auth = options.table("auth", k_auth);
  request.user = auth.text("user");
  request.password = auth.text("password");
  const std::string bearer = auth.text("bearer");
  if (bearer.empty() == request.user.empty())
    return arguments.fail("option 'auth' must be { user =, password = } or { bearer = }");
  if (bearer.empty()) return;
  if (!request.password.empty()) return arguments.fail("option 'auth': a bearer has no password");
  set_header(request, "Authorization", "Bearer " + bearer);
}

void read_retry(EffectOptions& options, HttpRetry& retry) {
  const json* value = options.find("retry");
  if (value == nullptr) return;
  if (!value->is_structured()) {
    retry.attempts = static_cast<int>(options.integer("retry", 1, 1, 1000));
    return;
  }
  EffectOptions table = options.table("retry", k_retry);
  retry.attempts = static_cast<int>(table.integer("attempts", 3, 1, 1000));
  retry.backoff_us = table.duration_us("backoff", retry.backoff_us);
  retry.factor = table.number("factor", retry.factor, 1);
  retry.max_us = table.duration_us("max", retry.max_us);
}

void read_options(EffectArguments& arguments, EffectOptions& options, HttpPlan& plan) {
  HttpRequest& request = plan.request;
  request.headers = options.pairs("headers");
  add_query(request.url, options.pairs("query"));
  read_body(arguments, options, request);
  read_auth(arguments, options, request);
  read_retry(options, plan.retry);
  request.timeout_us = options.duration_us("timeout", request.timeout_us);
  request.max_redirects = static_cast<int>(options.integer("redirects", request.max_redirects, 0, 50));
  request.proxy = options.text("proxy");
  plan.check = options.boolean("check", false);
}

Result<EffectStep::Start> start_of(EffectArguments& arguments, HttpPlan plan, engine::RunContext& context) {
  if (!arguments.ok()) return arguments.take_error();
  plan.call = arguments.call();
  plan.limit_bytes = context.settings().payload_bytes;
  plan.request.body_limit = std::min(plan.request.body_limit, plan.limit_bytes);
  if (auto refused = effects::check_request(plan.request)) {
    refused->message = http_message(plan.call, refused->message);
    return std::move(*refused);
  }
  const bool wants_key = plan.request.method != "GET" && plan.request.method != "HEAD";
  auto shared = std::make_shared<const HttpPlan>(std::move(plan));
  return EffectStep::Start([&context, shared, wants_key](const task::AttemptContext& attempt, Done<std::string> done) {
    HttpPlan live = *shared;
    if (wants_key && attempt.request_key) set_header(live.request, "Idempotency-Key", attempt.request_key());
    return send_http(context.effects().http(), context.execution().loop(), std::move(live), std::move(done));
  });
}

Result<EffectStep::Start> prepare(const char* call, const char* method, const std::string& arguments_json,
                                  engine::RunContext& context) {
  EffectArguments arguments(arguments_json, call);
  HttpPlan plan;
  plan.request.method = method;
  plan.request.url = arguments.text(1, "URL");
  EffectOptions options = arguments.options(2, k_options);
  read_options(arguments, options, plan);
  return start_of(arguments, std::move(plan), context);
}

Result<EffectStep::Start> prepare_request(const std::string& arguments_json, engine::RunContext& context) {
  EffectArguments arguments(arguments_json, "http.request");
  EffectOptions options = arguments.options(1, k_request_options);
  HttpPlan plan;
  plan.request.url = options.text("url");
  if (plan.request.url.empty()) arguments.fail("option 'url' is missing");
  if (options.has("method")) plan.request.method = options.text("method");
  for (char& c : plan.request.method) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  read_options(arguments, options, plan);
  return start_of(arguments, std::move(plan), context);
}

constexpr EffectKind k_get = {"http.get", [](const std::string& arguments, engine::RunContext& context) {
                                return prepare("http.get", "GET", arguments, context);
                              }};
constexpr EffectKind k_post = {"http.post", [](const std::string& arguments, engine::RunContext& context) {
                                 return prepare("http.post", "POST", arguments, context);
                               }};
constexpr EffectKind k_put = {"http.put", [](const std::string& arguments, engine::RunContext& context) {
                                return prepare("http.put", "PUT", arguments, context);
                              }};
constexpr EffectKind k_patch = {"http.patch", [](const std::string& arguments, engine::RunContext& context) {
                                  return prepare("http.patch", "PATCH", arguments, context);
                                }};
constexpr EffectKind k_delete = {"http.delete", [](const std::string& arguments, engine::RunContext& context) {
                                   return prepare("http.delete", "DELETE", arguments, context);
                                 }};
constexpr EffectKind k_request = {"http.request", prepare_request};

template <const EffectKind& kind>
int l_http(lua_State* L) {
  return call_effect(L, kind);
}

}  // namespace

int open_http(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"get", l_http<k_get>},       {"post", l_http<k_post>},       {"put", l_http<k_put>}, {"patch", l_http<k_patch>},
      {"delete", l_http<k_delete>}, {"request", l_http<k_request>}, {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  return 1;
}

}  // namespace perilune::api
