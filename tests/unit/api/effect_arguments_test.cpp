// Reading the arguments of effects, and bytes as JSON. SPDX-License-Identifier: MIT
#include "bindings/api/effect_arguments.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace perilune;
using namespace perilune::api;
using nlohmann::json;

namespace {

constexpr std::string_view k_names[] = {"timeout", "limit", "check", "count", "query"};

std::string message_of(const std::string& arguments_json, void (*read)(EffectOptions&)) {
  EffectArguments arguments(arguments_json, "x.do");
  EffectOptions options = arguments.options(1, k_names);
  read(options);
  return arguments.ok() ? "" : arguments.take_error().message;
}

}  // namespace

TEST_CASE("an absent option is its fallback, and null is not absent") {
  EffectArguments arguments("[{\"check\":null}]", "x.do");
  EffectOptions options = arguments.options(1, k_names);
  CHECK(options.integer("count", 7, 1, 9) == 7);
  CHECK(options.duration_us("timeout", 5) == 5);
  CHECK(options.size_bytes("limit", 6) == 6);
  CHECK(options.text("query").empty());
  CHECK(options.pairs("query").empty());
  CHECK(arguments.ok());
  CHECK(options.boolean("check", true));
  CHECK(arguments.take_error().message == "x.do: option 'check' must be true or false, not null");
}

TEST_CASE("options are read in all the forms that scripts write") {
  EffectArguments arguments(R"([{"timeout":1.5,"limit":"64KiB","check":true,"query":{"b":[1,"2"],"a":true}}])", "x.do");
  EffectOptions options = arguments.options(1, k_names);
  CHECK(options.duration_us("timeout", 0) == 1'500'000);
  CHECK(options.size_bytes("limit", 0) == 65536);
  CHECK(options.boolean("check", false));
  CHECK(options.pairs("query") == TextPairs{{"a", "true"}, {"b", "1"}, {"b", "2"}});
  CHECK(arguments.ok());
}

TEST_CASE("the first mistake is kept and names the call, the option and what would be right") {
  CHECK(message_of(R"([{"tmeout":1}])", [](EffectOptions&) {}) ==
        "x.do: unknown option 'tmeout': did you mean 'timeout'?");
  CHECK(message_of(R"([{"count":10}])", [](EffectOptions& options) {
          (void)options.integer("count", 1, 1, 9);
          (void)options.duration_us("count", 0);
        }) == "x.do: option 'count' must be a whole number from 1 to 9, not 10");
  CHECK(message_of(R"([{"timeout":0}])", [](EffectOptions& options) {
          (void)options.duration_us("timeout", 0);
        }).find("above 0") != std::string::npos);
  CHECK(message_of(R"(["x"])", [](EffectOptions&) {}) == "x.do: the options must be a table with names, not \"x\"");
  CHECK(message_of(R"([{},1])", [](EffectOptions&) {}) == "x.do: there is an argument too many (1), it takes 1");
}

TEST_CASE("bytes go to scripts and come back whole") {
  const std::string bytes("\xff\0z", 3);
  CHECK(quoted_json("a\"\xC3\xB6") == "\"a\\\"\xC3\xB6\"");
  std::string back;
  REQUIRE(bytes_of(json::parse(quoted_json(bytes)), back));
  CHECK(back == bytes);
  CHECK_FALSE(bytes_of(json::parse(R"({"$bytes":"?"})"), back));
  CHECK_FALSE(bytes_of(json(1), back));
  CHECK(shown_text("a\xff\xC3\xB6") == "a\xEF\xBF\xBD\xC3\xB6");
}

TEST_CASE("marked keys lose a mark on the way out and get one on the way in") {
  json value = json::parse(R"([{"$$bytes":{"$$$bytes":1}},{"$bytes":1,"a":2}])");
  REQUIRE(to_outside(value));
  CHECK(value.dump() == R"([{"$bytes":{"$$bytes":1}},{"$bytes":1,"a":2}])");
  from_outside(value);
  CHECK(value.dump() == R"([{"$$bytes":{"$$$bytes":1}},{"$bytes":1,"a":2}])");
  json bytes = json::parse(R"({"x":{"$bytes":"/w=="}})");
  CHECK_FALSE(to_outside(bytes));
}

TEST_CASE("a result beyond the limit of one value is an error") {
  CHECK(within_limit("12345", 5, "x.do").ok());
  CHECK(within_limit("123456", 5, "x.do").error().code == code::k_limit);
}
