// Targets that need a Lua state: the value codec, sources, patterns, templates.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/tape.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/lua/stock_lua.hpp"

namespace perilune::fuzz {
namespace {

using lua::test::quoted;
using lua::test::StockLua;
using lua::test::World;

constexpr size_t k_memory = 4u << 20;

lua::StateLimits small_limits() {
  lua::StateLimits limits;
  limits.memory_bytes = k_memory;
  limits.cpu_us = 5000;
  limits.payload_bytes = 1u << 20;
  return limits;
}

// The text of the value that `text` decodes to; nothing when it is no JSON.
bool recode(World& world, const std::string& text, bool raw, std::string& out) {
  lua_State* L = world.state->main();
  lua_settop(L, 0);
  if (!lua::parse(text, world.state->tape(), raw).ok()) return false;
  lua_pushcfunction(L, [](lua_State* inner) {
    lua::push_tape(inner, lua::State::of(inner).tape());
    return 1;
  });
  require(lua_pcall(L, 0, 1, 0) == LUA_OK, "a value that was parsed can be pushed");
  out.clear();
  const Result<void> encoded = lua::encode(L, -1, out, "value", raw);
  if (encoded.ok()) return true;
  // What a text may hold and no value: more levels than a value may have, the texts of raw values that are not UTF-8.
  require(encoded.error().code == code::k_validation || encoded.error().code == code::k_limit, "it is encoded again");
  return false;
}

bool fuzz_codec(const std::string& input) {
  World world;
  bool good = false;
  for (bool raw : {false, true}) {
    std::string once, twice;
    if (!recode(world, input, raw, once)) continue;
    require(recode(world, once, raw, twice), "an encoded value is decoded");
    require(once == twice, "decoding and encoding is stable");
    good = true;
  }
  return good;
}

bool fuzz_source(const std::string& input) {
  World world(small_limits());
  world.surroundings.modules["m"] = input;
  const std::string ended = world.eval(input);
  require(world.state->memory_peak() <= k_memory + (512u << 10), "memory stays within its limit");
  return !ended.starts_with("syntax");
}

// A pattern and a subject, each a line. Held against Lua's own where that is quick.
bool fuzz_pattern(const std::string& input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string pattern = input.substr(0, line), subject = line < input.size() ? input.substr(line + 1) : "";
  const std::string script = "local s, p = " + quoted(subject) + ", " + quoted(pattern) + R"(
    local out = {}
    local function add(...)
      local list = table.pack(...)
      for i = 1, list.n do out[#out + 1] = tostring(list[i]) end
    end
    add(pcall(string.find, s, p))
    add(pcall(string.match, s, p, 2))
    add(pcall(string.gsub, s, p, '%0%%%1', 20))
    add(pcall(function() for a, b in s:gmatch(p) do add(a, b) end end))
    return table.concat(out, ','))";
  World world(small_limits());
  const std::string ours = StockLua::eval(world, script);
  int choices = 0;
  for (char c : pattern) choices += std::string_view("*+-?").find(c) != std::string_view::npos;
  if (choices > 3 || subject.size() > 60 || world.state->killed()) return false;
  StockLua stock;
  const std::string theirs = stock.eval(script);
  if (theirs.find("pattern too complex") != theirs.npos) return false;
  require(ours == theirs, "a pattern does what it does in Lua");
  return theirs.find("true,1") != theirs.npos;
}

// A template and the JSON of its values, each a line.
bool fuzz_template(const std::string& input) {
  static constexpr lua::LazyGlobal k_text[] = {{"text", api::open_text}};
  const size_t line = std::min(input.find('\n'), input.size());
  World world(small_limits());
  lua_State* L = world.state->main();
  lua::add_lazy_globals(L, k_text, 1);
  const std::string values = line < input.size() ? input.substr(line + 1) : "{}";
  if (!lua::parse(values, world.state->tape(), true).ok()) return false;
  const std::string pieces = quoted(input.substr(0, line));
  lua_pushcfunction(L, [](lua_State* inner) {
    lua::push_tape(inner, lua::State::of(inner).tape());
    lua_setglobal(inner, "values");
    return 0;
  });
  require(lua_pcall(L, 0, 0, 0) == LUA_OK, "the values are there");
  world.eval("text.trim(" + pieces + ") for _, l in ipairs(text.lines(" + pieces +
             ")) do assert(not l:find('\\n')) end");
  const std::string joined = world.eval("local t = " + pieces + " return table.concat(text.split(t, '{{'), '{{') == t");
  require(joined == "true", "what is split is joined again");
  const std::string rendered = world.eval("return text.render(" + pieces + ", values)");
  return rendered.starts_with('"');
}

}  // namespace

void add_lua_targets(std::vector<Target>& targets) {
  targets.push_back(
      {"codec",
       "values are decoded and encoded to the same text",
       {"{\"a\":[1,2.0,-0.0,1e300,null,true],\"b\":{}}", "[]", "{\"$bytes\":\"/wA=\"}", "{\"$$bytes\":1}",
        "\"\\u00e9\\ud83d\\ude00\\n\"", "9223372036854775808", "[[[[1]]]]", "{\"\":0}"},
       {"{", "}", "[", "]", ",", ":", "\"$bytes\":", "\"", "\\u0000", "\\ud800", "null", "true", "1e400", "-0", "\xff"},
       fuzz_codec});
  targets.push_back(
      {"source",
       "sources run within their limits, or are errors",
       {"local t = {} for i = 1, 10 do t[i] = i * i end return #t, table.concat(t, ',')",
        "local function f(n) if n == 0 then return 1 end return n * f(n - 1) end return f(10), pcall(f, -1)",
        "local co = coroutine.wrap(function(...) for i = 1, 3 do coroutine.yield(i, ...) end end) return co(1), co()",
        "local c <close> = setmetatable({}, {__close = function() error('x') end}) return ('x'):rep(10):gsub('x', "
        "'%0y')",
        "goto a ::b:: do return load('return ...')(3) end ::a:: local x <const> = 5 // 2 ~ 3 >> 1 goto b",
        "return select('#', table.unpack({1, nil, 3}, 1, 3)), next({}), tostring({}), require('m')"},
       {"local ",
        "function() ",
        " end ",
        "for i = 1, 1e9 do ",
        "while true do ",
        "pcall(",
        "error(",
        "coroutine.wrap(",
        "coroutine.yield(",
        "setmetatable({}, {",
        "__index = ",
        "__close = ",
        "__gc = ",
        "table.sort(",
        "string.rep('x', ",
        "load(",
        "<close>",
        "<const>",
        "goto a ",
        "::a::",
        "...",
        "return ",
        "..",
        "//",
        "<<",
        "~",
        "[[",
        "]]",
        "--",
        "{",
        "}",
        ")",
        "=",
        "string.format('%q', ",
        "utf8.char(",
        "math.maxinteger",
        "table.unpack(",
        "coroutine.close("},
       fuzz_source});
  targets.push_back({"pattern",
                     "patterns do what they do in Lua, and end",
                     {"(%w+)=(%w+)\nkey=value, a=b", "^%s*(.-)%s*$\n  x y ", "%b()\n(a(b)c)",
                      "%f[%w]%w+\nthe (quick) fox", "[%a_][%w_]*\n1 _x", "()a()\nbanana", "(a*(.)%2)\naabb"},
                     {"%a", "%d", "[",  "]",    "^",   "$",  "*", "+", "-",  "?", "(",
                      ")",  "()", "%1", "%b()", "%f[", "[^", "%", ".", "\n", "%z"},
                     fuzz_pattern});
  targets.push_back({"template",
                     "templates give a text or an error; split and join are inverse",
                     {"hello {{ name }}, {{order.items[1].id}}\n{\"name\":\"x\",\"order\":{\"items\":[{\"id\":1}]}}",
                      "{{a}}{{ b.c }}\n{\"a\":1,\"b\":{\"c\":null}}", "no places\n{}", "{{x\n{}"},
                     {"{{", "}}", ".", "[", "]", "[1]", "name", "\n", "{{ }}", "{{{", "\xff", "}"},
                     fuzz_template});
}

}  // namespace perilune::fuzz
