// text.render(template, values), text.trim(s), text.split(s, separator), text.lines(s): plain functions of strings.
// Promises: a template that names what is not there is an error that says which part of the name is undefined, and in
// which line; nothing of a template is run as code. Texts are built in Lua's own buffers, so that a raise leaks nothing.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>

#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/libraries.hpp"

namespace perilune::api {

namespace {

constexpr std::string_view k_blanks = " \t\r\n\v\f";
constexpr int k_shown_max = 80;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(k_blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(k_blanks) - begin + 1);
}

int shown_size(std::string_view text) { return static_cast<int>(std::min<size_t>(text.size(), k_shown_max)); }

// ---- render

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// One "{{ path }}" of a template.
struct Placeholder {
  std::string_view path;  // "order.items[2].name"
  int line;
};

[[noreturn]] void wrong_path(lua_State* L, const Placeholder& place) {
  lua::raise_usage(L, code::k_validation,
                   "text.render, line %d: '{{%.*s}}' is no path: names with dots between them, and [numbers], such as "
                   "order.items[1].name",
                   place.line, shown_size(place.path), place.path.data());
}

// Takes the next key off `rest` and pushes it: a name, or a number in brackets.
void push_key(lua_State* L, const Placeholder& place, std::string_view& rest) {
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    lua_Integer number = 0;
    if (end == std::string_view::npos) wrong_path(L, place);
    const auto parsed = std::from_chars(rest.data() + 1, rest.data() + end, number);
    if (parsed.ec != std::errc() || parsed.ptr != rest.data() + end) wrong_path(L, place);
    rest.remove_prefix(end + 1);
    lua_pushinteger(L, number);
    return;
  }
  if (rest.data() != place.path.data()) {  // behind the first key a dot comes before a name
    if (!rest.starts_with('.')) wrong_path(L, place);
    rest.remove_prefix(1);
  }
  const size_t size = static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), is_name_char) - rest.begin());
  if (size == 0) wrong_path(L, place);
  lua_pushlstring(L, rest.data(), size);
  rest.remove_prefix(size);
}

// Pushes the text of the value that the path leads to, from the table at place 2.
void push_value(lua_State* L, const Placeholder& place) {
  std::string_view rest = place.path;
  if (rest.empty()) wrong_path(L, place);
  lua_pushvalue(L, 2);
  while (!rest.empty()) {
    push_key(L, place, rest);
    if (lua_type(L, -2) == LUA_TTABLE) {
      lua_gettable(L, -2);
    } else {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
    lua_remove(L, -2);
    if (lua_type(L, -1) == LUA_TNIL)
      lua::raise_usage(L, code::k_validation, "text.render, line %d: '%.*s' is undefined (in '{{%.*s}}')", place.line,
                       static_cast<int>(place.path.size() - rest.size()), place.path.data(), shown_size(place.path),
                       place.path.data());
  }
  const int type = lua_type(L, -1);
  const bool has_text = luaL_getmetafield(L, -1, "__tostring") != LUA_TNIL;
  if (has_text) lua_pop(L, 1);
  if ((type == LUA_TTABLE && !has_text) || type == LUA_TFUNCTION || type == LUA_TTHREAD)
    lua::raise_usage(L, code::k_validation, "text.render, line %d: '%.*s' is a %s, not a text", place.line,
                     shown_size(place.path), place.path.data(), lua_typename(L, type));
  lua::push_text(L, -1);
  lua_remove(L, -2);
}

int l_render(lua_State* L) {
  lua_settop(L, 2);
  std::string_view rest = lua::check_text(L, 1, "text.render", "template");
  if (lua_type(L, 2) != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage, "text.render: the values must be a table, not a %s", luaL_typename(L, 2));
  int line = 1;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (;;) {
    const size_t open = std::min(rest.find("{{"), rest.size());
    luaL_addlstring(&out, rest.data(), open);
    line += static_cast<int>(std::count(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(open), '\n'));
    if (open == rest.size()) break;
    rest.remove_prefix(open + 2);
    const size_t close = rest.find("}}");
    if (close == std::string_view::npos)
      lua::raise_usage(L, code::k_validation, "text.render, line %d: '{{' without '}}'", line);
    const std::string_view inside = rest.substr(0, close);
    push_value(L, {trimmed(inside), line});
    luaL_addvalue(&out);
    line += static_cast<int>(std::count(inside.begin(), inside.end(), '\n'));
    rest.remove_prefix(close + 2);
  }
  luaL_pushresult(&out);
  return 1;
}

// ---- trim, split, lines

int l_trim(lua_State* L) {
  const std::string_view text = trimmed(lua::check_text(L, 1, "text.trim", "text"));
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

void new_list(lua_State* L) {
  lua_createtable(L, 8, 0);
  lua::tag_array(L, -1);
}

void add_item(lua_State* L, std::string_view item, lua_Integer number) {
  lua_pushlstring(L, item.data(), item.size());
  lua_rawseti(L, -2, number);
}

int l_split(lua_State* L) {
  std::string_view rest = lua::check_text(L, 1, "text.split", "text");
  const std::string_view separator = lua::check_text(L, 2, "text.split", "separator");
  if (separator.empty()) lua::raise_usage(L, code::k_usage, "text.split: the separator is empty");
  new_list(L);
  for (lua_Integer number = 1;; ++number) {
    const size_t end = rest.find(separator);
    add_item(L, rest.substr(0, end), number);
    if (end == std::string_view::npos) return 1;
    rest.remove_prefix(end + separator.size());
  }
}

// A line ends with LF or CR LF; what comes behind the last end is a line when it is not empty.
int l_lines(lua_State* L) {
  std::string_view rest = lua::check_text(L, 1, "text.lines", "text");
  new_list(L);
  for (lua_Integer number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (end < rest.size() && line.ends_with('\r')) line.remove_suffix(1);
    add_item(L, line, number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 1;
}

}  // namespace

int open_text(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"render", l_render}, {"trim", l_trim}, {"split", l_split}, {"lines", l_lines}, {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  return 1;
}

}  // namespace perilune::api
