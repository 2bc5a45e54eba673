// The pattern functions against Lua's own, on random patterns and subjects; and what Lua's would not survive.
// SPDX-License-Identifier: MIT
#include "bindings/lua/pattern.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/lua/stock_lua.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using namespace perilune;
using lua::test::quoted;
using lua::test::StockLua;
using lua::test::World;

namespace {

// Joins results and errors of many calls to one text.
const std::string k_show = R"(
local function show(...)
  local list = table.pack(...)
  for i = 1, list.n do list[i] = type(list[i]) .. ":" .. tostring(list[i]) end
  return table.concat(list, ",")
end
local s, p = SUBJECT, PATTERN
local out = {}
local function add(...) out[#out + 1] = show(...) end
add(pcall(string.find, s, p))
add(pcall(string.find, s, p, -3))
add(pcall(string.find, s, p, 2, true))
add(pcall(string.match, s, p))
add(pcall(string.match, s, p, 3))
add(pcall(string.gsub, s, p, "<%0>"))
add(pcall(string.gsub, s, p, "<%1>", 2))
add(pcall(string.gsub, s, p, "%2%%"))
add(pcall(string.gsub, s, p, function(a, b) out[#out + 1] = show(a, b) return b end))
add(pcall(string.gsub, s, p, { a = "A", ab = 7, [1] = false, b = true }))
add(pcall(function() for a, b in string.gmatch(s, p) do add(a, b) end end))
add(pcall(function() for a, b in string.gmatch(s, p, 3) do add(a, b) end end))
return table.concat(out, "\n")
)";

std::string script_for(const std::string& subject, const std::string& pattern) {
  std::string script = k_show;
  script.replace(script.find("SUBJECT"), 7, quoted(subject));
  script.replace(script.find("PATTERN"), 7, quoted(pattern));
  return script;
}

const char* pick(Random& random, std::initializer_list<const char*> choices) {
  return choices.begin()[random.below(choices.size())];
}

std::string random_pattern(Random& random) {
  std::string pattern;
  if (random.below(6) == 0) pattern += "^";
  for (uint64_t items = random.below(6); items > 0; --items) {
    pattern += pick(random, {"a",     "b",       "a",      ".",    "x",     "-",    "]",      "%a",     "%A",   "%d",
                             "%s",    "%w",      "%W",     "%p",   "%x",    "%z",   "%.",     "%%",     "%-",   "[ab]",
                             "[^ab]", "[a-c%d]", "[]a]",   "[^]]", "[%w_]", "[a-]", "[%a-z]", "[a-%%]", "[x",   "(",
                             "(",     ")",       ")",      "()",   "%1",    "%2",   "%0",     "%b()",   "%bab", "%b",
                             "%f[a]", "%f[%w]",  "%f[^a]", "%f",   "%",     "$",    "^",      "\xE9"});
    pattern += pick(random, {"", "", "", "*", "+", "-", "?"});
  }
  if (random.below(6) == 0) pattern += "$";
  return pattern;
}

std::string random_subject(Random& random) {
  std::string subject;
  for (uint64_t i = random.below(12); i > 0; --i) subject += "aaabbbx(()) 1.-]%_\xE9Z"[random.below(20)];
  if (random.below(10) == 0) subject.insert(subject.size() / 2, 1, '\0');
  return subject;
}

lua::StateLimits short_cpu() {
  lua::StateLimits limits;
  limits.cpu_us = 30'000;
  return limits;
}

}  // namespace

TEST_CASE("Patterns give what Lua's own give, and fail as they do") {
  Random random(20'240'601);
  StockLua stock;
  World world;
  int matches = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string subject = random_subject(random), pattern = random_pattern(random);
    const std::string script = script_for(subject, pattern);
    const std::string expected = stock.eval(script);
    INFO(quoted(subject) << " " << pattern);
    REQUIRE(StockLua::eval(world, script) == expected);
    matches += expected.find("number:1,") != expected.npos;
  }
  CHECK(matches > 4000);
}

TEST_CASE("Patterns of any length, with as many choices as they like") {
  World world;
  CHECK(world.eval("return (('a'):rep(5000)):match('^' .. ('a?'):rep(5000) .. '$') == ('a'):rep(5000)") == "true");
  CHECK(world.eval("return #(('ab'):rep(300)):match((('[a-b]'):rep(600)))") == "600");
  CHECK(world.eval("local g = ('k=v, l=w'):gmatch('(' .. ('%w?'):rep(30) .. ')=(%w+)') return g(), (select(2, g()))") ==
        "\"k\" \"w\"");
  CHECK_THAT(world.eval("return ('a'):match(('(a)'):rep(33))"), StartsWith("null"));
  CHECK_THAT(world.eval("return (('a'):rep(40)):match(('(a)'):rep(33))"), Contains("too many captures"));
}

TEST_CASE("A pattern that is matched from within a replacement disturbs nothing") {
  World world;
  CHECK(world.eval(
            "return (('a1 b2'):gsub('(%a)(%d)', function(x, n) return (n .. x):gsub('(%d)(%a)', '%2<%1>') end))") ==
        "\"a<1> b<2>\"");
}

TEST_CASE("A match that would take for ever ends with the budget, wherever it is hidden") {
  const char* const scripts[] = {
      "local s = ('a'):rep(40) return s:find(('a?'):rep(40) .. s)",
      "return (('a'):rep(4000)):find(('.-'):rep(8) .. 'b')",
      "local n = 0 for _ in (('a'):rep(300000)):gmatch('(.-)%1b') do n = n + 1 end",
      "return (('('):rep(300000)):gsub('%b()', '')",
      "return (('a'):rep(300000)):find('a*b')",
      "return (('ab'):rep(200000)):find('[ab]-[ab]-[ab]-c')",
      "while true do pcall(string.find, ('a'):rep(4000), ('.-'):rep(8) .. 'b') end",
      "while true do coroutine.wrap(function() return (('a'):rep(4000)):match(('.-'):rep(8) .. 'b') end)() end",
  };
  for (const char* script : scripts) {
    World world(short_cpu());
    INFO(script);
    CHECK_THAT(world.eval(script), StartsWith("budget: ") && Contains("test.lua:1"));
  }
}

TEST_CASE("Searching for a plain text takes time in proportion to the texts") {
  World world(short_cpu());
  CHECK(world.eval("local s = ('a'):rep(1 << 20) return s:find(('a'):rep(1 << 19) .. 'b', 1, true)") == "null");
}
