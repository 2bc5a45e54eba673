// "did you mean"
// SPDX-License-Identifier: MIT
#include "runtime/base/nearest.hpp"

#include <array>
#include <catch2/catch.hpp>

using namespace perilune;

namespace {

const std::vector<std::string> k_names = {"retry",  "timeout", "undo", "once", "cache",
                                          "expect", "input",   "when", "limit"};

}  // namespace

TEST_CASE("The nearest name is found through a missing, added, changed or swapped letter", "[base]") {
  CHECK(nearest("tmeout", k_names) == "timeout");
  CHECK(nearest("timmeout", k_names) == "timeout");
  CHECK(nearest("timeaut", k_names) == "timeout");
  CHECK(nearest("tiemout", k_names) == "timeout");
  CHECK(nearest("udno", k_names) == "undo");
  CHECK(nearest("Timeout", k_names) == "timeout");
}

TEST_CASE("A prefix is near, but a near spelling is nearer", "[base]") {
  CHECK(nearest("time", k_names) == "timeout");
  CHECK(nearest("cached_by", k_names) == "cache");
  CHECK(nearest("retr", std::vector<std::string>{"retransmit", "retry"}) == "retry");
}

TEST_CASE("Nothing is near to what is quite different, empty, or very long", "[base]") {
  CHECK(nearest("frobnicate", k_names).empty());
  CHECK(nearest("", k_names).empty());
  CHECK(nearest("x", k_names).empty());
  CHECK(nearest(std::string(100'000, 'a'), k_names).empty());
  CHECK(nearest("retry", std::vector<std::string>{}).empty());
}

TEST_CASE("The message for an unknown name gives the nearest, else all that are valid", "[base]") {
  const std::array<std::string_view, 3> valid = {"retry", "timeout", "undo"};
  CHECK(unknown_name("option", "tmeout", "step", valid) == "unknown option 'tmeout' of step: did you mean 'timeout'?");
  CHECK(unknown_name("option", "zzz", "step", valid) == "unknown option 'zzz' of step: valid are retry, timeout, undo");
  CHECK(unknown_name("verb", "a\nb", "", {}) == "unknown verb 'a?b'");
}
