// The depth of JSON texts.
// SPDX-License-Identifier: MIT
#include "runtime/base/json_nesting.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace perilune;

TEST_CASE("Nesting counts arrays and objects that are open together", "[base]") {
  CHECK(json_nesting("1") == 0);
  CHECK(json_nesting("[]") == 1);
  CHECK(json_nesting(R"({"a":[1,{"b":2}],"c":[]})") == 3);
  CHECK(json_nesting(std::string(100'000, '[')) == 100'000);
}

TEST_CASE("Brackets in strings do not count, also behind escaped quotes", "[base]") {
  CHECK(json_nesting(R"(["[[[{{{"])") == 1);
  CHECK(json_nesting(R"(["\"[[", "\\", [1]])") == 2);
  CHECK(json_nesting(R"(["unfinished [[)") == 1);
  CHECK(json_nesting("\"\\") == 0);
}
