// crypto.sha256(s), crypto.hmac(key, s) (SHA-256; both as 64 hexadecimal digits), crypto.base64(s), crypto.unbase64(s)
// and crypto.uuid(), which is the global uuid. Plain functions of bytes: nothing here is an effect.
// SPDX-License-Identifier: MIT
#include <array>

#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "runtime/base/ids.hpp"

namespace perilune::api {

namespace {

// The work parts leave their text in the state's scratch.
void put_hex(lua_State* L, const std::array<uint8_t, 32>& digest) noexcept {
  lua::State::of(L).scratch() = hex_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void put_base64(lua_State* L, std::string_view bytes) noexcept { lua::State::of(L).scratch() = base64_encode(bytes); }

bool put_bytes(lua_State* L, std::string_view text) noexcept {
  return base64_decode(text, lua::State::of(L).scratch());
}

int push_scratch(lua_State* L) {
  const std::string& scratch = lua::State::of(L).scratch();
  lua_pushlstring(L, scratch.data(), scratch.size());
  return 1;
}

int l_sha256(lua_State* L) {
  put_hex(L, sha256(lua::check_text(L, 1, "crypto.sha256", "text")));
  return push_scratch(L);
}

int l_hmac(lua_State* L) {
  const std::string_view key = lua::check_text(L, 1, "crypto.hmac", "key");
  put_hex(L, hmac_sha256(key, lua::check_text(L, 2, "crypto.hmac", "text")));
  return push_scratch(L);
}

int l_base64(lua_State* L) {
  put_base64(L, lua::check_text(L, 1, "crypto.base64", "text"));
  return push_scratch(L);
}

int l_unbase64(lua_State* L) {
  if (!put_bytes(L, lua::check_text(L, 1, "crypto.unbase64", "text")))
    lua::raise_usage(L, code::k_validation,
                     "crypto.unbase64: the text is not base64 (with padding, without line ends)");
  return push_scratch(L);
}

}  // namespace

int open_crypto(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"sha256", l_sha256}, {"hmac", l_hmac}, {"base64", l_base64}, {"unbase64", l_unbase64}, {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  open_uuid(L);
  lua_setfield(L, -2, "uuid");
  return 1;
}

}  // namespace perilune::api
