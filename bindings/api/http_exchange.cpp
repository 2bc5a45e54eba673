// Tries, results and errors of HTTP calls; see http_exchange.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/http_exchange.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "bindings/api/effect_arguments.hpp"
#include "runtime/base/json_nesting.hpp"
#include "runtime/effects/http_request_check.hpp"

namespace perilune::api {

using effects::Done;
using effects::Effect;
using effects::HttpResponse;
using nlohmann::json;

namespace {

constexpr size_t k_error_body_bytes = 2000;
constexpr int k_json_depth_max = 100;  // a result is saved with at most 128 levels, and stands in other tables

std::string_view header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

bool is_json(std::string_view content_type) {
  const std::string type = effects::lower_case(effects::trim_blanks(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

std::string headers_json(const HttpResponse& response) {
  std::map<std::string, std::string> joined;
  for (const auto& [name, value] : response.headers) {
    auto [entry, fresh] = joined.emplace(name, value);
    if (!fresh) entry->second += (name == "set-cookie" ? "\n" : ", ") + value;
  }
  std::string text = "{";
  for (const auto& [name, value] : joined) {
    if (text.size() > 1) text += ',';
    text += json(shown_text(name)).dump() + ":" + quoted_json(value);
  }
  return text + "}";
}

// Scheme, host and port: path, query and user may hold secrets.
std::string origin_of(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "the server";
  const size_t begin = scheme + 3;
  std::string authority = url.substr(begin, std::min(url.find_first_of("/?#", begin), url.size()) - begin);
  if (const size_t at = authority.rfind('@'); at != std::string::npos) authority.erase(0, at + 1);
  return shown_text(url.substr(0, begin) + authority);
}

bool may_pass(int status) { return status == 429 || (status >= 502 && status <= 504); }

class Exchange final : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(effects::HttpClient& client, loop::Loop& loop, HttpPlan plan, Done<std::string> done)
      : client_(client), loop_(loop), plan_(std::move(plan)), done_(std::move(done)) {}

  void send() {
    ++tries_;
    request_ = client_.send(plan_.request, [this](Result<HttpResponse> result) {
      const auto self = shared_from_this();  // the listener may drop us
      if (!again(result)) end(outcome_of(std::move(result)));
    });
  }

  void cancel() {
    if (cancelled_) return;
    cancelled_ = true;
    if (timer_ == 0) return request_->cancel();
    loop_.stop_timer(timer_);
    timer_ = 0;
    loop_.post(
        [self = shared_from_this()] { self->end(Error(code::k_cancelled, self->plan_.call + " was cancelled")); });
  }

  void detach() {
    done_ = nullptr;
    loop_.stop_timer(timer_);
    request_.reset();
  }

 private:
  // Starts the wait for another try, if there is to be one.
  bool again(const Result<HttpResponse>& result) {
    if (cancelled_ || tries_ >= plan_.retry.attempts) return false;
    if (result.ok() ? !may_pass(result->status) : result.error().code != code::k_io) return false;
    double delay_us = static_cast<double>(plan_.retry.backoff_us) * std::pow(plan_.retry.factor, tries_ - 1);
    delay_us = std::min(delay_us, static_cast<double>(plan_.retry.max_us));
    const double asked_s = result.ok() ? retry_after_s(*result, loop_.clock().wall_us()) : -1;
    if (asked_s * 1e6 > static_cast<double>(plan_.retry.max_us)) return false;
    if (asked_s >= 0) delay_us = asked_s * 1e6;
    timer_ = loop_.start_timer(static_cast<int64_t>(delay_us), [this] {
      timer_ = 0;
      send();
    });
    return true;
  }

  Result<std::string> outcome_of(Result<HttpResponse> result) {
    if (!result.ok()) {
      result.error().message = http_message(plan_.call, result.error().message);
      return std::move(result.error());
    }
    if (plan_.check && result->status >= 400) return failed_check(*result);
    return within_limit(http_result_json(*result), plan_.limit_bytes, plan_.call);
  }

  Error failed_check(const HttpResponse& response) {
    const std::string& url = response.effective_url.empty() ? plan_.request.url : response.effective_url;
    Error error(code::k_http_status,
                plan_.call + ": " + origin_of(url) + " answered with status " + std::to_string(response.status));
    std::string_view body = std::string_view(response.body).substr(0, k_error_body_bytes);
    for (int i = 0; i < 3 && body.size() < response.body.size() &&
                    (static_cast<unsigned char>(response.body[body.size()]) & 0xC0) == 0x80;
         ++i)
      body.remove_suffix(1);
    error.data = "{\"body\":" + quoted_json(body) + ",\"status\":" + std::to_string(response.status) + "}";
    error.retry_after_s = retry_after_s(response, loop_.clock().wall_us());
    return error;
  }

  void end(Result<std::string> outcome) {
    const Done<std::string> done = std::move(done_);
    done_ = nullptr;
    if (done) done(std::move(outcome));
  }

  effects::HttpClient& client_;
  loop::Loop& loop_;
  HttpPlan plan_;
  Done<std::string> done_;
  std::unique_ptr<Effect> request_;
  loop::TimerId timer_ = 0;
  int tries_ = 0;
  bool cancelled_ = false;
};

class ExchangeEffect final : public Effect {
 public:
  explicit ExchangeEffect(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~ExchangeEffect() override { exchange_->detach(); }
  void cancel() override { exchange_->cancel(); }

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace

std::unique_ptr<Effect> send_http(effects::HttpClient& client, loop::Loop& loop, HttpPlan plan,
                                  Done<std::string> done) {
  auto exchange = std::make_shared<Exchange>(client, loop, std::move(plan), std::move(done));
  exchange->send();
  return std::make_unique<ExchangeEffect>(std::move(exchange));
}

std::string http_message(const std::string& call, std::string_view message) {
  if (message.starts_with("http: ")) message.remove_prefix(6);
  return call + ": " + std::string(message);
}

std::string http_result_json(const HttpResponse& response) {
  std::string text = "{\"body\":" + quoted_json(response.body);
  text += ",\"duration\":" + json(static_cast<double>(response.duration_us) / 1e6).dump();
  text += ",\"headers\":" + headers_json(response);
  if (is_json(header_of(response, "content-type")) && json_nesting(response.body) <= k_json_depth_max) {
    json value = json::parse(response.body, nullptr, false);
    if (!value.is_discarded()) {
      from_outside(value);
      text += ",\"json\":" + value.dump(-1, ' ', false, json::error_handler_t::replace);
    }
  }
  return text + ",\"status\":" + std::to_string(response.status) + "}";
}

double retry_after_s(const HttpResponse& response, int64_t now_us) {
  const std::string value(effects::trim_blanks(header_of(response, "retry-after")));
  if (value.empty()) return -1;
  int64_t seconds = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (parsed.ec == std::errc() && parsed.ptr == value.data() + value.size())
    return seconds < 0 ? -1 : static_cast<double>(seconds);
  std::tm date = {};
  const char* end = strptime(value.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return -1;
  return std::max(0.0, static_cast<double>(timegm(&date)) - static_cast<double>(now_us) / 1e6);
}

}  // namespace perilune::api
