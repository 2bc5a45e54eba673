// errno to Error, see system_error.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/system_error.hpp"

#include <cerrno>
#include <system_error>

namespace perilune::effects {

const char* code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return code::k_not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return code::k_denied;
    case EEXIST:
    case ENOTEMPTY:
      return code::k_conflict;
    default:
      return code::k_io;
  }
}

Error system_error(int number, std::string_view doing) {
  return Error(code_of_errno(number), "cannot " + std::string(doing) + ": " + std::generic_category().message(number));
}

std::string quoted(std::string_view text) {
  static constexpr char k_digits[] = "0123456789abcdef";
  std::string out = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += k_digits[byte >> 4];
      out += k_digits[byte & 15];
    }
  }
  return out + "'";
}

}  // namespace perilune::effects
