// The table of points: patterns, names of one's own, and that docs/hooks.md says what the table says.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/points.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "runtime/hooks/reference.hpp"

using namespace perilune;
using namespace perilune::hooks;
using Catch::Matchers::Contains;

namespace {

std::string said(const Result<std::vector<Point>>& points) {
  if (!points.ok()) return points.error().message;
  std::string text;
  for (Point point : *points) text += (text.empty() ? "" : " ") + std::string(row_of(point).name);
  return text;
}

std::string in_script(std::string_view pattern) { return said(points_matching(pattern, true)); }
std::string own_name(std::string_view name) {
  Result<void> checked = check_own_name(name);
  return checked.ok() ? "" : checked.error().message;
}

}  // namespace

TEST_CASE("each point has a name of its own, a text and fields", "[hooks]") {
  std::set<std::string_view> names;
  for (const PointRow& row : points()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(std::string_view(row.text).size() > 5);
    CHECK(row.allows(Reply::replace) != row.replaces.empty());
    CHECK_FALSE(row.allows(Reply::none));
  }
}

TEST_CASE("a pattern means one point, those of a prefix, or events of scripts", "[hooks]") {
  CHECK(in_script("step.before") == "step.before");
  CHECK(in_script("step.*") == "step.before step.after step.retry step.fail step.skip");
  CHECK(in_script("error") == "error");
  CHECK_THAT(in_script("*"), Contains("step.before") && Contains("error"));
  CHECK(points_matching("order.paid", true)->empty());
  CHECK(points_matching("order.*", true)->empty());
  CHECK(points_matching("shop.order.*", true)->empty());
}

TEST_CASE("a pattern that means nothing says what would be right", "[hooks]") {
  CHECK_THAT(in_script("step.befor"), Contains("unknown point 'step.befor'") && Contains("'step.before'"));
  CHECK_THAT(in_script("step.x"), Contains("valid are step.before, step.after"));
  CHECK_THAT(in_script("steps.before"), Contains("did you mean 'step.before'"));
  CHECK_THAT(in_script("stepbefore"), Contains("did you mean 'step.before'"));
  CHECK_THAT(in_script("banana"), Contains("unknown point 'banana'") && Contains("order.paid"));
  CHECK_THAT(in_script("order paid.x"), Contains("unknown point"));
  CHECK_THAT(in_script(""), Contains("unknown point ''"));
  CHECK_THAT(in_script("llm.before"), Contains("nothing meets the point 'llm.before' in this version"));
  CHECK_THAT(in_script("agent.*"), Contains("in this version"));
}

TEST_CASE("events of scripts match by name or by beginning", "[hooks]") {
  CHECK(matches_own("order.paid", "order.paid"));
  CHECK_FALSE(matches_own("order.paid", "order.paid.late"));
  CHECK(matches_own("order.*", "order.paid.late"));
  CHECK_FALSE(matches_own("order.*", "orders.paid"));
  CHECK(matches_own("*", "order.paid"));
}

TEST_CASE("names of one's own events stay out of the runtime's", "[hooks]") {
  CHECK(own_name("order.paid").empty());
  CHECK(own_name("a.b-c.d_e.1").empty());
  CHECK_THAT(own_name("paid"), Contains("at least one dot"));
  CHECK_THAT(own_name("order..paid"), Contains("at least one dot"));
  CHECK_THAT(own_name("order."), Contains("order.paid"));
  CHECK_THAT(own_name("order.*"), Contains("is no name of an event"));
  CHECK_THAT(own_name("step.mine"), Contains("'step.' are the runtime's") && Contains("my-step.mine"));
  CHECK_THAT(own_name("signal.mine"), Contains("are the runtime's"));
  CHECK_THAT(own_name("sten.before"), Contains("'step.before'"));
}

TEST_CASE("docs/hooks.md holds the table of points", "[hooks]") {
  std::ostringstream page;
  page << std::ifstream(PERILUNE_SOURCE_DIR "/docs/hooks.md").rdbuf();
  CHECK_THAT(page.str(), Contains(reference_text()));
}
