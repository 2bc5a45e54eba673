// Errors as text and back.
// SPDX-License-Identifier: MIT
#include "runtime/base/error.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <limits>

#include "runtime/base/result.hpp"

using namespace perilune;

namespace {

bool same(const Error& a, const Error& b) {
  const bool causes = (a.cause == nullptr) == (b.cause == nullptr) && (a.cause == nullptr || same(*a.cause, *b.cause));
  const bool fields = a.code == b.code && a.message == b.message && a.step == b.step && a.attempt == b.attempt &&
                      a.data == b.data && a.traceback == b.traceback && a.retry == b.retry &&
                      a.retry_after_s == b.retry_after_s;
  return causes && fields && a.suppressed.size() == b.suppressed.size() &&
         std::equal(a.suppressed.begin(), a.suppressed.end(), b.suppressed.begin(), same);
}

std::string any_text() { return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)); }

Error any_error(int depth) {
  Error error(any_text(), any_text());
  error.step = any_text();
  error.attempt = *rc::gen::inRange(0, 100);
  error.data = *rc::gen::element<std::string>("", "null", "\"text\"", R"({"a":[1,2.5,null],"b":{}})", "1.0");
  error.traceback = any_text();
  error.retry = *rc::gen::arbitrary<bool>();
  error.retry_after_s = *rc::gen::element(-1.0, 0.0, 0.1, 1e9);
  if (depth > 0 && *rc::gen::arbitrary<bool>()) error.cause = std::make_shared<const Error>(any_error(depth - 1));
  if (depth > 0) error.suppressed.resize(*rc::gen::inRange<size_t>(0, 3));
  for (Error& suppressed : error.suppressed) suppressed = any_error(depth - 1);
  return error;
}

}  // namespace

TEST_CASE("An error in one line names code, message, step and attempt", "[base]") {
  Error error(code::k_timeout, "took longer\nthan 30s");
  CHECK(one_line(error) == "timeout: took longer than 30s");
  error.attempt = 2;
  CHECK(one_line(error) == "timeout: took longer than 30s (attempt 2)");
  error.step = "charge";
  CHECK(one_line(error) == "timeout: took longer than 30s (step 'charge', attempt 2)");
  CHECK(one_line(Error("denied", "")) == "denied");
  CHECK(one_line(Error("", "only words")) == "only words");
}

TEST_CASE("Fields that are empty are left out of the JSON", "[base]") {
  CHECK(to_json_text(Error("io", "no disk")) == R"({"code":"io","message":"no disk"})");
  Error error("http_status", "busy");
  error.retry = false;
  error.retry_after_s = 2.5;
  error.data = R"({"status":503})";
  CHECK(to_json_text(error) ==
        R"({"code":"http_status","data":{"status":503},"message":"busy","retry":false,"retry_after":2.5})");
}

TEST_CASE("An error reads back from its JSON without loss", "[base]") {
  REQUIRE(rc::check([] {
    const Error error = any_error(3);
    RC_ASSERT(same(error_from_json_text(to_json_text(error)), error));
  }));
}

TEST_CASE("What is not the JSON of an error becomes an internal error that shows the text", "[base]") {
  for (const char* text : {"{\"code\":", "[1,2]", "17", "null", R"({"name":"x"})", "\xff\xfe"}) {
    INFO(text);
    const Error error = error_from_json_text(text);
    CHECK(error.code == code::k_internal);
    CHECK(error.message == text);
  }
  CHECK(error_from_json_text("\"words\"").message == "words");
  CHECK_FALSE(error_from_json_text("").message.empty());
  CHECK(error_from_json_text(std::string(100'000, '[')).code == code::k_internal);
}

TEST_CASE("Any text reads as some error", "[base]") {
  REQUIRE(rc::check([](const std::string& text) { RC_ASSERT(!error_from_json_text(text).code.empty()); }));
}

TEST_CASE("Fields of a wrong kind are passed over", "[base]") {
  const Error error = error_from_json_text(
      R"({"code":7,"message":"m","step":[],"attempt":"x","retry":"no","retry_after":{},"cause":null,"suppressed":{}})");
  CHECK(same(error, Error(code::k_internal, "m")));
  CHECK(error_from_json_text(R"({"code":"a","attempt":99999999999})").attempt == std::numeric_limits<int>::max());
  CHECK(error_from_json_text(R"({"code":"a","attempt":18446744073709551615})").attempt >= 0);
  CHECK(error_from_json_text(R"({"code":"a","cause":"why"})").cause->message == "why");
}

TEST_CASE("Texts that are not UTF-8, broken data and endless nesting can still be written", "[base]") {
  Error error("io", "bad \xff byte");
  error.data = "{not json";
  error.retry_after_s = std::numeric_limits<double>::infinity();
  const Error back = error_from_json_text(to_json_text(error));
  CHECK(back.message == "bad \xef\xbf\xbd byte");
  CHECK(back.data == R"("{not json")");
  CHECK(back.retry_after_s == -1);

  error.data = std::string(5000, '[') + std::string(5000, ']');
  for (int i = 0; i < 1000; ++i) {
    Error outer("io", std::to_string(i));
    outer.cause = std::make_shared<const Error>(error);
    error = outer;
  }
  const Error deep = error_from_json_text(to_json_text(error));
  CHECK(deep.message == "999");
  int causes = 0;
  for (const Error* at = &deep; at->cause; at = at->cause.get()) ++causes;
  CHECK(causes == 32);
}

TEST_CASE("Codes that no retry may mend are known, others may be tried again", "[base]") {
  for (const char* code : {"validation", "denied", "cancelled", "budget", "memory", "limit", "unknown_outcome",
                           "diverged", "usage", "syntax", "deadlock"}) {
    CHECK(never_retried(code));
  }
  for (const char* code : {"timeout", "io", "http_status", "step_failed", "", "own_code"})
    CHECK_FALSE(never_retried(code));
}

TEST_CASE("A result is a value or an error", "[base]") {
  Result<int> good = 3;
  Result<int> bad = Error("io", "x");
  Result<void> fine;
  Result<void> wrong = Error("io", "y");
  CHECK((good && *good == 3));
  CHECK((!bad && bad.error().message == "x"));
  CHECK(fine.ok());
  CHECK((!wrong && wrong.error().message == "y"));
}
