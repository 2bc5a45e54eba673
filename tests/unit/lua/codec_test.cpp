// Lua values <-> JSON text: what survives, what is refused and with which path.
// SPDX-License-Identifier: MIT
#include "bindings/lua/codec.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "bindings/lua/tape.hpp"
#include "tests/unit/lua/fake_surroundings.hpp"

using perilune::lua::test::World;
namespace lua = perilune::lua;

namespace {

// Text -> Lua -> text, or the error.
std::string there_and_back(World& world, std::string_view text, bool raw = false) {
  lua_State* L = world.state->main();
  auto parsed = lua::parse(text, world.state->tape(), raw);
  if (!parsed) return parsed.error().code + ": " + parsed.error().message;
  lua_settop(L, 0);
  lua::push_tape(L, world.state->tape());
  REQUIRE(lua_gettop(L) == 1);
  std::string out;
  auto encoded = lua::encode(L, 1, out, "value");
  REQUIRE(lua_gettop(L) == 1);
  lua_settop(L, 0);
  return encoded ? out : encoded.error().message;
}

std::string random_json(int depth);

std::string random_string() {
  std::string out = "\"";
  const int size = *rc::gen::inRange(0, 12);
  for (int i = 0; i < size; ++i) {
    static const char* const k_pieces[] = {"a",       "Z",  "\\n", "\\\"", "\\\\",  "é",
                                           "\\u0001", "月", "🌙",   "$",    "bytes", " "};
    out += k_pieces[*rc::gen::inRange(0, 12)];
  }
  return out + "\"";
}

std::string random_json(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0:
      return "null";
    case 1:
      return *rc::gen::arbitrary<bool>() ? "true" : "false";
    case 2:
      return std::to_string(*rc::gen::arbitrary<int64_t>());
    case 3:
      return std::to_string(*rc::gen::arbitrary<int>()) + "." + std::to_string(*rc::gen::inRange(0, 1000)) + "e" +
             std::to_string(*rc::gen::inRange(-300, 280));
    case 4:
      return random_string();
    case 5: {
      std::string out = "[";
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) out += random_json(depth - 1) + (i > 1 ? "," : "");
      return out + "]";
    }
    default: {
      std::string out = "{";
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        out += random_string() + ":" + random_json(depth - 1) + (i > 1 ? "," : "");
      }
      return out + "}";
    }
  }
}

}  // namespace

TEST_CASE("Canonical texts come back byte for byte") {
  World world;
  const char* const texts[] = {"null",
                               "true",
                               "0",
                               "-1",
                               "9223372036854775807",
                               "-9223372036854775808",
                               "2.0",
                               "0.1",
                               "-0.0",
                               "1e+300",
                               "5e-324",
                               "\"\"",
                               "\"a\\nb\\u0001\\\"\\\\\"",
                               "\"é月🌙\"",
                               "[]",
                               "{}",
                               "[[],{},[{}]]",
                               "{\"a\":1,\"b\":[1,2.5,null],\"c\":{\"d\":false}}",
                               "[null,null]",
                               "{\"$bytes\":\"/wA=\"}",
                               "{\"$$bytes\":1}",
                               "{\"$bytes\":\"/wA=\",\"x\":1}"};
  for (const char* text : texts) CHECK(there_and_back(world, text) == text);
}

TEST_CASE("Texts that are not canonical become so") {
  World world;
  CHECK(there_and_back(world, " { \"b\" : 1 , \"a\" : 2 } ") == "{\"a\":2,\"b\":1}");
  CHECK(there_and_back(world, "1E2") == "100.0");
  CHECK(there_and_back(world, "92233720368547758080") == "92233720368547758080.0");
  CHECK(there_and_back(world, "1e-400") == "0.0");
  CHECK(there_and_back(world, "\"\\u00e9\\ud83c\\udf19\\/\"") == "\"é🌙/\"");
  CHECK(there_and_back(world, "{\"a\":1,\"a\":2}") == "{\"a\":2}");
  CHECK(there_and_back(world, "{\"$bytes\":\"AA==\"}") == "\"\\u0000\"");
}

TEST_CASE("Raw parsing leaves $bytes alone, and encoding escapes it") {
  World world;
  CHECK(there_and_back(world, "{\"$bytes\":\"AA==\"}", true) == "{\"$$bytes\":\"AA==\"}");
  CHECK(world.eval("return {['$bytes']=5}, {['$$bytes']=5}, {bytes=5}, {['$']=1}") ==
        "{\"$$bytes\":5} {\"$$$bytes\":5} {\"bytes\":5} {\"$\":1}");
}

TEST_CASE("Any value that was read is written the same twice, and reads back the same") {
  World world;
  REQUIRE(rc::check("encode(decode(x)) is stable", [&world] {
    const std::string text = random_json(4);
    const std::string once = there_and_back(world, text);
    RC_ASSERT(once.substr(0, 10) != "validation");
    RC_ASSERT(there_and_back(world, once) == once);
  }));
}

TEST_CASE("Any bytes survive as a string value") {
  World world;
  REQUIRE(rc::check("bytes round trip", [&world](const std::string& bytes) {
    lua_State* L = world.state->main();
    lua_settop(L, 0);
    lua_pushlstring(L, bytes.data(), bytes.size());
    std::string text;
    RC_ASSERT(lua::encode(L, 1, text, "").ok());
    lua::push_json(L, text);
    size_t size = 0;
    const char* back = lua_tolstring(L, 2, &size);
    RC_ASSERT(std::string(back, size) == bytes);
  }));
}

TEST_CASE("Mangled texts never crash the parser") {
  World world;
  REQUIRE(rc::check("a text with a wrong byte", [&world] {
    std::string text = random_json(3);
    text[size_t(*rc::gen::inRange(0, int(text.size())))] = *rc::gen::arbitrary<char>();
    (void)lua::parse(text, world.state->tape());
  }));
}

TEST_CASE("Tables are arrays or objects by their keys") {
  World world;
  CHECK(world.eval("return {}, {1,2}, {a=1}, {[2]='b',[1]='a',[3]='c'}") == "{} [1,2] {\"a\":1} [\"a\",\"b\",\"c\"]");
  CHECK(world.eval("local t = {} for i = 20, 1, -1 do t[i] = i end return #t == 20, t") ==
        "true [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]");
  CHECK(world.eval("local t = {1,2,3} t[3] = nil return t") == "[1,2]");
  CHECK(world.eval("return {b=1, a=2, ['a b']=3, ['']=4, A=5}") == "{\"\":4,\"A\":5,\"a\":2,\"a b\":3,\"b\":1}");
}

TEST_CASE("Numbers keep their kind") {
  World world;
  CHECK(world.eval("return 3, 3.0, 1e100, 0.1, math.mininteger, 1e15, -0.0, 2^53") ==
        "3 3.0 1e+100 0.1 -9223372036854775808 1e+15 -0.0 9007199254740992.0");
}

TEST_CASE("What can't be saved is refused with its path") {
  World world;
  const std::pair<const char*, const char*> cases[] = {
      {"return {a={b={1,2,print}}}", "validation: a.b[3]: a function can't be saved"},
      {"return {['a b']=print}", "validation: [\"a b\"]: a function can't be saved"},
      {"return print", "validation: a function can't be saved"},
      {"return {coroutine.create(print)}", "validation: [1]: a coroutine can't be saved"},
      {"return {x=0/0}", "validation: x: NaN can't be saved"},
      {"return {x=-1/0}", "validation: x: infinity can't be saved"},
      {"local t = {} t.t = {t} return t", "validation: t[1]: a table that contains itself can't be saved"},
      {"return {1, nil, 3, x=1}", "validation: a table with both numbers and strings (\"x\") as keys can't be saved"},
      {"return {[1]=1, [2]=2, [4]=4}", "validation: an array with a hole (item 3 is nil) can't be saved"},
      {"return {[0]=1}", "validation: a table with a number below 1, or not whole, as key can't be saved"},
      {"return {[1.5]=1}", "validation: a table with a number below 1, or not whole, as key can't be saved"},
      {"return {[true]=1, x=2}", "validation: a key of type boolean can't be saved"},
      {"return {[{}]=1}", "validation: a key of type table can't be saved"},
      {"return {['\\xff']=1}", "validation: a key that is not UTF-8 can't be saved"},
      {"return {math}", "validation: [1]: a table of the API can't be saved"},
      {"local t = {} for i = 1, 200 do t = {t} end return #t", "1"},
  };
  for (auto [script, expected] : cases) CHECK(world.eval(script) == expected);
  const std::string deep = world.eval("local t = {} for i = 1, 200 do t = {t} end return t");
  CHECK_THAT(deep, Catch::Matchers::EndsWith("tables nested deeper than 128 can't be saved"));
}

TEST_CASE("The path begins with what is being saved") {
  World world;
  lua_State* L = world.state->main();
  CHECK(world.eval("return {items={1,2,print}}") == "validation: items[3]: a function can't be saved");
  luaL_loadstring(L, "return {items={1,2,print}}");
  lua_call(L, 0, 1);
  std::string out = "kept";
  auto encoded = lua::encode(L, -1, out, "result");
  REQUIRE_FALSE(encoded);
  CHECK(encoded.error().message == "result.items[3]: a function can't be saved");
  CHECK(out == "kept");
}

TEST_CASE("A text over the payload limit is refused as a whole") {
  lua::StateLimits limits;
  limits.payload_bytes = 1000;
  World world(limits);
  CHECK_THAT(world.eval("return {a={string.rep('x', 995)}}"), Catch::Matchers::StartsWith("limit: larger than"));
  CHECK_THAT(world.eval("return 'x' .. string.rep('x', 999)"), Catch::Matchers::StartsWith("limit: larger than"));
  CHECK(world.eval("return #string.rep('x', 900)") == "900");
}

TEST_CASE("Shared tables are no cycle, and metamethods do not run") {
  World world;
  CHECK(world.eval("local s = {1} return {a=s, b=s}") == "{\"a\":[1],\"b\":[1]}");
  CHECK(world.eval("return setmetatable({1}, {__index=error, __len=error, __pairs=error})") == "[1]");
}

TEST_CASE("Errors of the parser name line and column") {
  World world;
  const std::pair<const char*, const char*> cases[] = {
      {"", "line 1, column 1: a value expected, found the end of the text"},
      {"{\n  \"a\": x}", "line 2, column 8: a value expected, found 'x'"},
      {"[1,]", "line 1, column 4: a value expected, found ']'"},
      {"[1 2]", "line 1, column 4: ',' or ']' expected, found '2'"},
      {"{1:2}", "line 1, column 2: a key in quotes expected, found '1'"},
      {"{\"a\" 1}", "line 1, column 6: ':' expected, found '1'"},
      {"\"abc", "line 1, column 5: '\"' expected, found the end of the text"},
      {"\"a\nb\"", "line 1, column 3: a control character must be escaped, found byte 10"},
      {"\"\\x\"", "line 1, column 3: an escape expected, found 'x'"},
      {"\"\\ud800x\"", "line 1, column 8: half a surrogate pair, found 'x'"},
      {"\"\\u12g4\"", "line 1, column 4: four hexadecimal digits expected, found '1'"},
      {"\"\xff\"", "line 1, column 2: text that is not UTF-8, found byte 255"},
      {"01", "line 1, column 2: nothing more expected, found '1'"},
      {"1.", "line 1, column 3: a digit expected, found the end of the text"},
      {"-", "line 1, column 2: a digit expected, found the end of the text"},
      {"1e999", "line 1, column 1: a number that is too large, found '1'"},
      {"nul", "line 1, column 1: a value expected, found 'n'"},
      {"{\"$bytes\":\"?\"}", "line 1, column 15: $bytes must be base64, found the end of the text"},
  };
  for (auto [text, expected] : cases)
    CHECK(there_and_back(world, text) == std::string("validation: JSON, ") + expected);
  CHECK_THAT(there_and_back(world, std::string(300, '[')), Catch::Matchers::Contains("nested deeper than 256"));
}

TEST_CASE("null is a value of its own that is true, shown as null, and tags survive") {
  World world;
  lua_State* L = world.state->main();
  lua::push_json(L, "{\"n\":null,\"a\":[],\"o\":{}}");
  lua_pushglobaltable(L);
  lua_insert(L, -2);
  lua_pushliteral(L, "v");
  lua_insert(L, -2);
  lua_rawset(L, -3);
  CHECK(world.eval("return v, tostring(v.n), v.n and 1, getmetatable(v), getmetatable(v.a)") ==
        "{\"a\":[],\"n\":null,\"o\":{}} \"null\" 1 null null");
  CHECK(world.eval("v.a[1] = 1 v.a.x = 2 return v.a") ==
        "validation: a table with both numbers and strings (\"x\") as keys can't be saved");
  CHECK(world.eval("v.a = v.a v.a.x = nil v.a[1] = nil v.a.y = 1 return v.a") ==
        "validation: an array with the key \"y\" can't be saved");
}

TEST_CASE("A text of the runtime that does not parse kills instead of raising") {
  World world;
  lua_State* L = world.state->main();
  lua::push_json(L, "{oops");
  CHECK(lua_isnil(L, -1));
  REQUIRE(world.state->killed());
  CHECK(world.state->kill_error().code == "internal");
}
