// What a script can reach, and that what it sees is the same in every process.
// SPDX-License-Identifier: MIT
#include "bindings/lua/sandbox.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "tests/unit/lua/fake_surroundings.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using perilune::lua::test::World;
namespace lua = perilune::lua;

namespace {

int l_noop(lua_State*) { return 0; }

int l_open_gadget(lua_State* L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_noop);
  lua_setfield(L, -2, "turn");
  return 1;
}

int l_open_broken(lua_State* L) { return luaL_error(L, "broken"); }

const lua::LazyGlobal k_gadget[] = {{"gadget", l_open_gadget}, {"broken", l_open_broken}};

}  // namespace

TEST_CASE("The reachable names are those of the golden list") {
  World world;
  auto names = lua::reachable_names(*world.state);
  REQUIRE(names);
  std::ifstream file(PERILUNE_SOURCE_DIR "/tests/lua/globals.golden");
  std::vector<std::string> golden;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') golden.push_back(line);
  }
  std::string actual, expected;
  for (const std::string& name : *names) actual += name + "\n";
  for (const std::string& name : golden) expected += name + "\n";
  CHECK(actual == expected);
}

TEST_CASE("Lazy globals belong to the reachable names, and are made at their first use") {
  World world;
  lua::add_lazy_globals(world.state->main(), k_gadget, 1);
  auto names = lua::reachable_names(*world.state);
  REQUIRE(names);
  CHECK(std::count(names->begin(), names->end(), "gadget.turn") == 1);
  CHECK(world.eval("return gadget == gadget, type(gadget.turn), rawget(gadget, 'turn') == gadget.turn") ==
        "true \"function\" true");
  CHECK(world.eval("gadget.turn = 1") == "script: test.lua:1: a table of the API is read-only (field 'turn')");
  lua::add_lazy_globals(world.state->main(), k_gadget + 1, 1);
  CHECK_FALSE(lua::reachable_names(*world.state));
}

TEST_CASE("What could reach out, or differ between replays, is absent") {
  World world;
  for (const char* name : {"io", "package", "dofile", "loadfile", "loadstring", "collectgarbage", "warn", "module"}) {
    CHECK_THAT(world.eval(std::string("return ") + name), Contains(std::string("undefined global '") + name + "'"));
  }
  CHECK(world.eval("return string.dump, os.execute, os.getenv, os.exit, os.remove, os.setlocale, debug.getinfo, "
                   "debug.getregistry, debug.sethook") == "null null null null null null null null null");
}

TEST_CASE("Reading an undefined global raises with the nearest name") {
  World world;
  CHECK(world.eval("pirnt(1)") == "script: test.lua:1: undefined global 'pirnt' (did you mean 'print'?)");
  CHECK(world.eval("total = 1 return totl") == "script: test.lua:1: undefined global 'totl' (did you mean 'total'?)");
  CHECK(world.eval("return xyzzyplugh") == "script: test.lua:1: undefined global 'xyzzyplugh'");
  CHECK(world.eval("return rawget(_G, 'nothing')") == "null");
  CHECK(world.eval("x = 1 x = x + 1 return x, _G.x, _ENV == _G") == "2 2 true");
}

TEST_CASE("The API can't be hidden or changed") {
  World world;
  const char* const scripts[] = {
      "print = 1",
      "function require() end",
      "_G.math = {}",
      "_ENV['string'] = nil",
      "rawset(_G, 'print', 1)",
      "string.x = 1",
      "string.format = nil",
      "rawset(math, 'pi', 3)",
      "table.insert(table, 1)",
      "setmetatable(string, {})",
      "setmetatable(_G, {})",
      "math.pi = 3",
      "table.move({1}, 1, 1, 1, os)",
      "table.sort(_VERSION)",
      "utf8.charpattern = 1",
  };
  for (const char* script : scripts) {
    INFO(script);
    CHECK_THAT(world.eval(script), StartsWith("script: "));
  }
  CHECK_THAT(world.eval("print = 1"), Contains("'print' belongs to the API"));
  CHECK(world.eval("return getmetatable(''), getmetatable(_G), getmetatable(math), ('x'):upper(), #string") ==
        "false false false \"X\" 0");
  CHECK(world.eval("local f = string.format string = nil") ==
        "script: test.lua:1: the global 'string' belongs to the API: choose another name, or make it local");
}

TEST_CASE("Library tables can be listed") {
  World world;
  CHECK(world.eval("local n = {} for k in pairs(os) do n[#n + 1] = k end return n") ==
        "[\"clock\",\"date\",\"difftime\",\"time\"]");
  CHECK(world.eval("return next(os), next(debug) ~= nil") == "\"clock\" true");
}

TEST_CASE("Bytecode is refused wherever it could come in") {
  World world;
  auto bytecode = lua::compile_text("return 1", "@x.lua");
  REQUIRE(bytecode);
  CHECK_THAT(world.eval(*bytecode), StartsWith("syntax: attempt to load a binary chunk"));
  CHECK(world.eval("return load('\\27Lua')") == "null \"attempt to load a binary chunk (only text is accepted)\"");
  CHECK(world.eval("return load('return 1', 'x', 'b')") ==
        "null \"attempt to load a text chunk (mode must allow 't')\"");
  world.surroundings.modules["binary"] = *bytecode;
  CHECK_THAT(world.eval("require 'binary'"), StartsWith("syntax: attempt to load a binary chunk"));
}

TEST_CASE("The host's own bytecode runs in the sandbox and keeps its lines") {
  World world;
  auto bytecode = lua::compile_text("local x = ...\nreturn pirnt", "@order.lua");
  REQUIRE(bytecode);
  lua_State* L = world.state->main();
  REQUIRE(lua::load_bytecode(L, *bytecode, "@order.lua"));
  REQUIRE(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN);
  CHECK_THAT(lua_tostring(L, -1), StartsWith("order.lua:2: undefined global 'pirnt'"));
  CHECK(lua::compile_text("return +", "@order.lua").error().message == "order.lua:1: unexpected symbol near '+'");
  CHECK_FALSE(lua::load_bytecode(L, "rubbish", "@x.lua"));
}

TEST_CASE("A file may begin with a byte order mark and a #! line, and keeps its line numbers") {
  const std::string mark = "\xEF\xBB\xBF";
  for (const std::string& begin : {mark, std::string("#!/usr/bin/perilune\n"),
                                   std::string("#!/usr/bin/perilune run\r\n"), mark + "#!/usr/bin/perilune run\r\n"}) {
    World world;
    INFO(begin);
    const std::string line = begin.back() == '\n' ? "2" : "1";
    CHECK(world.eval(begin + "return 'ran'") == "\"ran\"");
    CHECK_THAT(world.eval(begin + "return +"), StartsWith("syntax: test.lua:" + line + ":"));
    CHECK(lua::compile_text(begin + "return +", "@order.lua").error().message ==
          "order.lua:" + line + ": unexpected symbol near '+'");
    CHECK_THAT(world.eval(begin + "\x1bLua"), begin.back() == '\n'
                                                  ? StartsWith("syntax: test.lua:2: unexpected symbol")
                                                  : StartsWith("syntax: attempt to load a binary chunk"));
  }
  World world;
  CHECK_THAT(world.eval("return load('#!x\\nreturn 1')"), StartsWith("null"));
}

TEST_CASE("load compiles text with an environment of one's own, from a string or from pieces") {
  World world;
  CHECK(world.eval("return load('return 1 + ...')(2), load('return x', 'c', 't', {x=5})()") == "3 5");
  CHECK(world.eval("local p = {'return ', '4', '2'} local i = 0 return load(function() i = i + 1 return p[i] end)()") ==
        "42");
  CHECK(world.eval("return load('x x', '=name')") == "null \"name:1: syntax error near 'x'\"");
  CHECK(world.eval("return load(function() return {} end)") ==
        "script: test.lua:1: reader function must return a string");
  CHECK_THAT(world.eval("return load('if a then ' .. ('elseif b then '):rep(20000) .. 'end')"), Contains("elseif"));
  CHECK_THAT(world.eval("return load((' '):rep(5 * 1024 * 1024))"), Contains("4 MiB"));
}

TEST_CASE("Finalizers and weak tables are refused") {
  World world;
  for (const char* script :
       {"setmetatable({}, {__gc = print})", "setmetatable({}, {__mode = 'k'})",
        "local m = {} setmetatable({}, m) m.__mode = 'k'", "local m = {} setmetatable({}, m) m.__gc = print",
        "local m = setmetatable({}, {}) rawset(m, '__mode', 'v')"}) {
    INFO(script);
    CHECK_THAT(world.eval(script), Contains("are refused"));
  }
  CHECK(world.eval("local C = {} C.__index = C local o = setmetatable({}, C) function C:f() return 5 end "
                   "return o:f(), getmetatable(C), getmetatable(o) == C") == "5 null true");
  CHECK(world.eval("local C = {} local o = setmetatable({}, C) setmetatable(C, {__index = {x=1}}) return C.x") == "1");
}

TEST_CASE("Objects have numbers in place of addresses, the same each time") {
  World world;
  CHECK(world.eval(
            "local a, b = {}, print return tostring(a), tostring(b), tostring(a), tostring(coroutine.create(b))") ==
        "\"table: #1\" \"function: #2\" \"table: #1\" \"thread: #3\"");
  CHECK(world.eval(
            "return tostring(setmetatable({}, {__name='Order'})), tostring(setmetatable({}, {__tostring=function() "
            "return 'me' end})), tostring(nil), tostring(2^53), tostring(-0.0), tostring(true)") ==
        "\"Order: #4\" \"me\" \"nil\" \"9.007199254741e+15\" \"-0.0\" \"true\"");
  CHECK(world.eval("return string.format('%s %5.1s|%d %q %% %s', {}, 'ab', 3, 'q', true), ('%s'):format(print)") ==
        "\"table: #5     a|3 \\\"q\\\" % true\" \"function: #2\"");
  CHECK_THAT(world.eval("return string.format('%p', {})"), Contains("'%p' is refused"));
  CHECK_THAT(world.eval("return tostring(setmetatable({}, {__tostring=function() return {} end}))"),
             Contains("must return a string"));
}

TEST_CASE("print goes to the log") {
  World world;
  world.eval("print('a', 1, nil, 2.5, setmetatable({}, {__tostring=function() return 'obj' end})) print()");
  CHECK(world.surroundings.lines == std::vector<std::string>{"info a\t1\tnil\t2.5\tobj", "info "});
}

TEST_CASE("Random numbers come from the run") {
  World one, two;
  const char* script =
      "return math.random(), math.random(6), math.random(-5, 5), math.random(0), "
      "math.random(math.mininteger, math.maxinteger)";
  CHECK(one.eval(script) == two.eval(script));
  CHECK(
      one.eval("for i = 1, 1000 do local n = math.random(3, 5) assert(n >= 3 and n <= 5) end return math.random(1)") ==
      "1");
  CHECK_THAT(one.eval("math.randomseed(1)"), Contains("seeded already"));
  CHECK_THAT(one.eval("math.random(0, -1)"), Contains("interval is empty"));
}

TEST_CASE("Time is the run's, and dates are in UTC") {
  World world;
  CHECK(
      world.eval("return os.time(), os.clock(), os.date('%Y-%m-%d %H:%M:%S'), os.date('!%F', 0), os.difftime(3, 1)") ==
      "1700000000 1700000000.5 \"2023-11-14 22:13:20\" \"1970-01-01\" 2.0");
  CHECK(
      world.eval("return os.time{year=1970, month=1, day=1, hour=0}, os.time{year=2024, month=2, day=29}, "
                 "os.time{year=2023, month=14, day=-3, hour=1, min=-5}, os.time{year=1600, month=3, day=1, hour=0}") ==
      "0 1709208000 1706403300 -11670912000");
  CHECK(world.eval("local t = os.date('*t', 86399) return t.year, t.yday, t.sec, t.isdst, t.wday") ==
        "1970 1 59 false 5");
  CHECK(world.eval("for _, d in ipairs{0, 951782400, 1709164800, -1, 4102444800} do "
                   "assert(os.time(os.date('*t', d)) == d) end return true") == "true");
  CHECK_THAT(world.eval("return os.date('%Ex')"), Contains("unknown conversion"));
  CHECK_THAT(world.eval("return os.date('%')"), Contains("unknown conversion"));
  CHECK_THAT(world.eval("return os.date('%c', math.maxinteger)"), Contains("cannot be represented"));
  CHECK_THAT(world.eval("return os.time{year=2024}"), Contains("missing in date table"));
}

TEST_CASE("The base functions behave as Lua's") {
  World world;
  CHECK(
      world.eval("return tonumber('0x10'), tonumber(' 12 '), tonumber('1e1'), tonumber('z', 36), tonumber('-ff', 16), "
                 "tonumber('8', 8), tonumber({}), tonumber('1 2')") == "16 12 10.0 35 -255 null null null");
  CHECK(world.eval("return select('#', nil, nil), select(-1, 1, 2, 3), select(2, 'a', 'b')") == "2 3 \"b\"");
  CHECK(world.eval("return pcall(error, 'x', 0)") == "false \"x\"");
  CHECK(world.eval("return pcall(function() error('x') end)") == "false \"test.lua:1: x\"");
  CHECK(world.eval("return pcall(assert, false, 'm'), select(2, pcall(assert, nil)), assert(1, 2)") ==
        "false \"assertion failed!\" 1 2");
  CHECK(world.eval("return xpcall(function(a) error(a) end, function(m) return m .. '?' end, 'x')") ==
        "false \"test.lua:1: x?\"");
  CHECK(world.eval("return xpcall(function(...) return ... end, print, 1, 2)") == "true 1 2");
  CHECK(world.eval("return pcall(function() pcall() end)") ==
        "false \"test.lua:1: bad argument #1 to 'pcall' (value expected)\"");
  CHECK(world.eval("return rawlen({1,2}), rawequal('a', 'a'), rawget({5}, 1), rawset({}, 1, 2), type(nil)") ==
        "2 true 5 [2] \"nil\"");
  CHECK(world.eval(
            "local s = 0 for i, v in ipairs{1,2,nil,4} do s = s + v end return s, '10' + 5, '3' * '4', 10 .. ''") ==
        "3 15 12 \"10\"");
  CHECK(world.eval(
            "return table.concat({1,2,3}, '-', 2), table.remove({1,2,3}), #table.pack(1,2), table.unpack({1,2}, 2)") ==
        "\"2-3\" 3 2 2");
  CHECK_THAT(world.eval("table.insert(nil, 1)"),
             Contains("test.lua:1: bad argument #1 to 'insert' (table expected, got nil)"));
  CHECK(world.eval("return utf8.char(233, 26376), utf8.len('é月')") == "\"é月\" 2");
}

TEST_CASE("A traceback shows the script's frames alone") {
  World world;
  CHECK(world.eval("local function inner()\n return debug.traceback('msg') end\nreturn (inner())") ==
        "\"msg\\nstack traceback:\\n\\ttest.lua:2: in function 'inner'\\n\\ttest.lua:3: in main chunk\"");
  CHECK(world.eval("local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) "
                   "return debug.traceback(co), debug.traceback({})") ==
        "\"stack traceback:\\n\\ttest.lua:1: in function <test.lua:1>\" {}");
  const std::string deep = world.eval(
      "local function f(n) if n == 0 then return debug.traceback() end "
      "local x = f(n - 1) return x end return f(500)");
  CHECK_THAT(deep, Contains("levels in all"));
  CHECK(std::count(deep.begin(), deep.end(), '\n') == 0);
  CHECK(deep.size() < 2500);
}
