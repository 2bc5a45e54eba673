// Lua values to JSON text. Reading is in codec_parse.cpp and codec_push.cpp.
// Promises: raw access only, so no script code runs; nothing here raises, so C++ objects may stand on the stack. The
// Lua calls used are those that neither allocate nor raise: lua_next, lua_rawgeti, lua_pushvalue, lua_checkstack.
// SPDX-License-Identifier: MIT
#include "bindings/lua/codec.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/state_table.hpp"
#include "bindings/lua/utf8_text.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {
namespace {

constexpr std::string_view k_bytes_key = "$bytes";

bool before(const EncodedKey& a, const EncodedKey& b) {
  const int order = std::memcmp(a.text, b.text, std::min(a.size, b.size));
  return order != 0 ? order < 0 : a.size < b.size;
}

// "$bytes", "$$bytes", ...: a key that means something when it is the only one.
bool is_bytes_key(std::string_view key) {
  const size_t dollars = key.find_first_not_of('$');
  return dollars != std::string_view::npos && dollars > 0 && key.substr(dollars - 1) == k_bytes_key;
}

// How many bytes of the text come before the first that is not UTF-8.
size_t utf8_prefix(const char* text, size_t size) {
  const char* const end = text + size;
  const char* at = text;
  while (at != end) {
    const size_t length = static_cast<unsigned char>(*at) < 0x80 ? 1 : utf8_sequence(at, end);
    if (length == 0) break;
    at += length;
  }
  return static_cast<size_t>(at - text);
}

class Encoder {
 public:
  Encoder(lua_State* L, std::string& out, std::string_view what, bool raw, size_t bytes_max)
      : L_(L), state_(State::of(L)), hidden_(state_.hidden()), out_(out), start_(out.size()), what_(what), raw_(raw),
        bytes_max_(std::min(bytes_max, state_.limits().payload_bytes)) {}

  bool whole(int index) { return value(index) && !too_large(); }
  Error take_error() const {
    std::string place = what_ + path_;
    if (what_.empty() && !path_.empty() && path_[0] == '.') place.erase(0, 1);
    return Error(code_, place.empty() ? text_ : place + ": " + text_);
  }

 private:
  bool value(int index);
  bool table(int index);
  bool table_content(int index);
  bool state_table(int index);
  bool array(int index);
  bool array_out_of_order(int index);
  bool object(int index);
  bool pairs_of_object(int index);
  bool write_key(const EncodedKey& key, bool only);
  bool write_text(const char* text, size_t size);
  void write_escaped(const char* text, size_t size);
  bool write_number(double number);
  void write_integer(int64_t integer);
  bool too_large();
  bool fail_too_large();
  bool explain_keys(int index);
  std::string keys_complaint(int index, lua_Integer& count);

  bool fail(std::string text, const char* code = code::k_validation) {
    code_ = code;
    text_ = std::move(text);
    return false;
  }
  bool inside_item(lua_Integer item) {
    if (!whole_) path_.insert(0, "[" + std::to_string(item) + "]");
    return false;
  }
  bool inside_field(std::string_view key);

  lua_State* L_;
  State& state_;
  State::Hidden& hidden_;
  std::string& out_;
  size_t start_;
  std::string what_;
  bool raw_;
  size_t bytes_max_;
  const char* code_ = code::k_validation;
  bool whole_ = false;  // the whole is at fault, not the place where that was noticed
  std::string path_;    // grows from its end while the calls return
  std::string text_;
};

bool Encoder::value(int index) {
  switch (lua_type(L_, index)) {
    case LUA_TNIL:
      out_ += "null";
      return true;
    case LUA_TBOOLEAN:
      out_ += lua_toboolean(L_, index) ? "true" : "false";
      return true;
    case LUA_TNUMBER:
      if (!lua_isinteger(L_, index)) return write_number(lua_tonumber(L_, index));
      write_integer(lua_tointeger(L_, index));
      return true;
    case LUA_TSTRING: {
      size_t size = 0;
      const char* text = lua_tolstring(L_, index, &size);
      return write_text(text, size);
    }
    case LUA_TTABLE:
      return table(index);
    case LUA_TLIGHTUSERDATA:
      if (is_null(L_, index)) return out_ += "null", true;
      return fail("a userdata can't be saved");
    case LUA_TFUNCTION:
      return fail("a function can't be saved");
    case LUA_TTHREAD:
      return fail("a coroutine can't be saved");
    default:
      return fail("a userdata can't be saved");
  }
}

bool Encoder::table(int index) {
  const void* identity = lua_topointer(L_, index);
  for (const void* outer : hidden_.encoded_path) {
    if (outer == identity) return fail("a table that contains itself can't be saved");
  }
  if (hidden_.encoded_path.size() >= size_t(state_.limits().depth)) {
    return fail("tables nested deeper than " + std::to_string(state_.limits().depth) + " can't be saved");
  }
  if (!lua_checkstack(L_, 8)) return fail("no stack left to save it", code::k_limit);
  hidden_.encoded_path.push_back(identity);
  const int top = lua_gettop(L_);
  const bool good = table_content(index) && !too_large();
  lua_settop(L_, top);
  hidden_.encoded_path.pop_back();
  return good;
}

// The first key decides; what does not fit it is explained by a look at all keys.
bool Encoder::table_content(int index) {
  bool is_array = false;
  if (lua_getmetatable(L_, index)) {
    is_array = lua_topointer(L_, -1) == hidden_.array_metatable;
    if (lua_topointer(L_, -1) == hidden_.state_metatable) return state_table(index);
    lua_rawgetp(L_, -1, &registry::k_locked);
    if (!lua_isnil(L_, -1)) return fail("a table of the API can't be saved");
    lua_pop(L_, 2);
  }
  lua_pushnil(L_);
  if (!lua_next(L_, index)) {
    out_ += is_array ? "[]" : "{}";
    return true;
  }
  const int first = lua_type(L_, -2);
  lua_pop(L_, 2);
  if (first == LUA_TNUMBER) return array(index);
  if (first == LUA_TSTRING && !is_array) return object(index);
  return explain_keys(index);
}

// A table of `state`: what lies behind it. For `state` itself that is the text of the task's view.
bool Encoder::state_table(int index) {
  if (lua_rawgetp(L_, index, state_plain_key()) == LUA_TTABLE) return table(lua_gettop(L_));
  std::vector<EncodedKey> keys;   // another encoding begins meanwhile
  std::vector<const void*> path;
  keys.swap(hidden_.encoded_keys);
  path.swap(hidden_.encoded_path);
  Result<void> written = write_state(L_, out_);
  keys.swap(hidden_.encoded_keys);
  path.swap(hidden_.encoded_path);
  return written.ok() || fail(written.error().message, code::k_validation);
}

// An array that was filled in order is met in order: then no other key can be there when the end is reached.
bool Encoder::array(int index) {
  const size_t mark = out_.size();
  out_ += '[';
  lua_Integer expected = 1;
  lua_pushnil(L_);
  const int top = lua_gettop(L_);
  while (lua_next(L_, index)) {
    if (!lua_isinteger(L_, -2) || lua_tointeger(L_, -2) != expected) {
      out_.resize(mark);
      lua_settop(L_, top - 1);
      return explain_keys(index);
    }
    if (expected > 1) out_ += ',';
    if (!value(top + 1)) return inside_item(expected);
    if ((expected & 255) == 0 && too_large()) return false;
    lua_settop(L_, top);
    ++expected;
  }
  out_ += ']';
  return true;
}

// Keys 1..n that do not come in order (a table filled from its end).
bool Encoder::array_out_of_order(int index) {
  out_ += '[';
  const int top = lua_gettop(L_);
  for (lua_Integer item = 1;; ++item) {
    if (lua_rawgeti(L_, index, item) == LUA_TNIL) break;
    if (item > 1) out_ += ',';
    if (!value(top + 1)) return inside_item(item);
    lua_settop(L_, top);
  }
  out_ += ']';
  return true;
}

bool Encoder::object(int index) {
  const size_t base = hidden_.encoded_keys.size();
  const bool good = pairs_of_object(index);
  hidden_.encoded_keys.resize(base);
  return good;
}

// Keys and values are kept on the Lua stack: to look a value up again by its key could raise.
bool Encoder::pairs_of_object(int index) {
  std::vector<EncodedKey>& keys = hidden_.encoded_keys;
  const size_t base = keys.size();
  const int bottom = lua_gettop(L_);
  lua_pushnil(L_);
  while (lua_next(L_, index)) {
    if (lua_type(L_, -2) != LUA_TSTRING) {
      lua_settop(L_, bottom);
      return explain_keys(index);
    }
    EncodedKey key{nullptr, 0, lua_gettop(L_) - 1};
    key.text = lua_tolstring(L_, -2, &key.size);
    keys.push_back(key);
    if (!lua_checkstack(L_, 8)) return fail("a table with so many keys can't be saved", code::k_limit);
    lua_pushvalue(L_, -2);
  }
  std::sort(keys.begin() + base, keys.end(), before);
  const size_t end = keys.size();
  out_ += '{';
  for (size_t i = base; i < end; ++i) {
    const EncodedKey key = keys[i];  // a copy: nested objects may move the vector
    if (i > base) out_ += ',';
    if (!write_key(key, end - base == 1)) return false;
    if (!value(key.slot + 1)) return inside_field({key.text, key.size});
    if ((i & 255) == 0 && too_large()) return false;
  }
  out_ += '}';
  return true;
}

bool Encoder::write_key(const EncodedKey& key, bool only) {
  if (!is_utf8(key.text, key.size)) return fail("a key that is not UTF-8 can't be saved");
  out_ += '"';
  if (only && !raw_ && is_bytes_key({key.text, key.size})) out_ += '$';
  write_escaped(key.text, key.size);
  out_ += "\":";
  return true;
}

bool Encoder::write_text(const char* text, size_t size) {
  if (size > bytes_max_) return fail_too_large();
  if (!is_utf8(text, size)) {
    if (raw_) return fail("text that is not UTF-8, at byte " + std::to_string(utf8_prefix(text, size) + 1));
    out_ += "{\"$bytes\":\"";
    out_ += base64_encode({text, size});
    out_ += "\"}";
    return true;
  }
  out_ += '"';
  write_escaped(text, size);
  out_ += '"';
  return true;
}

void Encoder::write_escaped(const char* text, size_t size) {
  static constexpr char k_hex[] = "0123456789abcdef", k_special[] = "\"\\\n\r\t\b\f", k_letters[] = "\"\\nrtbf";
  const char* const end = text + size;
  const char* run = text;
  for (const char* at = text; at != end; ++at) {
    const unsigned char c = static_cast<unsigned char>(*at);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out_.append(run, at);
    run = at + 1;
    if (const void* found = std::memchr(k_special, c, sizeof k_special - 1)) {
      out_ += '\\';
      out_ += k_letters[static_cast<const char*>(found) - k_special];
    } else {
      out_ += "\\u00";
      out_ += k_hex[c >> 4];
      out_ += k_hex[c & 15];
    }
  }
  out_.append(run, end);
}

bool Encoder::write_number(double number) {
  if (std::isnan(number)) return fail("NaN can't be saved");
  if (std::isinf(number)) return fail("infinity can't be saved");
  char text[40];
  char* end = std::to_chars(text, text + sizeof text, number).ptr;
  // 2.0 stays a float: without a point it would be read back as an integer.
  if (std::find_if(text, end, [](char c) { return c == '.' || c == 'e'; }) == end) {
    *end++ = '.';
    *end++ = '0';
  }
  out_.append(text, end);
  return true;
}

void Encoder::write_integer(int64_t integer) {
  char text[24];
  out_.append(text, std::to_chars(text, text + sizeof text, integer).ptr);
}

bool Encoder::too_large() {
  if (out_.size() - start_ <= bytes_max_) return false;
  return !fail_too_large();
}

bool Encoder::fail_too_large() {
  whole_ = true;
  return fail("larger than " + format_size(int64_t(bytes_max_)), code::k_limit);
}

bool Encoder::inside_field(std::string_view key) {
  if (whole_) return false;
  bool plain = !key.empty() && !(key[0] >= '0' && key[0] <= '9');
  for (char c : key) plain = plain && (std::isalnum(static_cast<unsigned char>(c)) || c == '_') && c > 0;
  path_.insert(0, plain ? "." + std::string(key) : "[\"" + std::string(key.substr(0, 80)) + "\"]");
  return false;
}

// Called for a table that is not plainly an array or an object. The complaint does not depend on the order in which Lua
// happens to keep the keys.
bool Encoder::explain_keys(int index) {
  lua_Integer count = 0;
  std::string complaint = keys_complaint(index, count);
  if (complaint.empty()) return array_out_of_order(index);
  return fail(std::move(complaint));
}

std::string Encoder::keys_complaint(int index, lua_Integer& count) {
  const char* odd_type = nullptr;  // the first in the alphabet
  std::string_view least_key;
  bool has_string = false, has_odd_number = false;
  const int top = lua_gettop(L_);
  for (lua_pushnil(L_); lua_next(L_, index); lua_settop(L_, top + 1)) {
    const int type = lua_type(L_, top + 1);
    if (type == LUA_TSTRING) {
      size_t size = 0;
      const char* text = lua_tolstring(L_, top + 1, &size);
      if (!has_string || std::string_view(text, size) < least_key) least_key = {text, size};
      has_string = true;
    } else if (type != LUA_TNUMBER) {
      const char* name = lua_typename(L_, type);
      if (odd_type == nullptr || std::strcmp(name, odd_type) < 0) odd_type = name;
    } else if (!lua_isinteger(L_, top + 1) || lua_tointeger(L_, top + 1) < 1) {
      has_odd_number = true;
    } else {
      ++count;
    }
  }
  lua_settop(L_, top);
  if (odd_type != nullptr) return std::string("a key of type ") + odd_type + " can't be saved";
  const std::string shown(least_key.substr(0, 80));
  if (has_string && (count > 0 || has_odd_number)) {
    return "a table with both numbers and strings (\"" + shown + "\") as keys can't be saved";
  }
  if (has_string) return "an array with the key \"" + shown + "\" can't be saved";
  if (has_odd_number) return "a table with a number below 1, or not whole, as key can't be saved";
  for (lua_Integer item = 1; item <= count; ++item) {
    const bool hole = lua_rawgeti(L_, index, item) == LUA_TNIL;
    lua_settop(L_, top);
    if (hole) return "an array with a hole (item " + std::to_string(item) + " is nil) can't be saved";
  }
  return {};
}

}  // namespace

Result<void> encode(lua_State* L, int index, std::string& out, std::string_view what, bool raw, size_t bytes_max) {
  State::Hidden& hidden = State::of(L).hidden();
  const int top = lua_gettop(L);
  const size_t size = out.size();
  hidden.encoded_path.clear();
  hidden.encoded_keys.clear();
  Encoder encoder(L, out, what, raw, bytes_max);
  const bool good = encoder.whole(lua_absindex(L, index));
  lua_settop(L, top);
  if (good) return {};
  out.resize(size);
  return encoder.take_error();
}

}  // namespace perilune::lua
