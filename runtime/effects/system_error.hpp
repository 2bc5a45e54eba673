// An errno as an Error: the code that scripts see and a sentence that says what was being done.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/error.hpp"

namespace perilune::effects {

// "not_found" (ENOENT, ENOTDIR), "denied" (EACCES, EPERM, EROFS), "conflict" (EEXIST, ENOTEMPTY), else "io".
const char* code_of_errno(int number);

// "cannot read 'a/b': No such file or directory", for `doing` = "read 'a/b'".
Error system_error(int number, std::string_view doing);

// 'text', with control characters written as \xNN, so that a name cannot break a line of log.
std::string quoted(std::string_view text);

}  // namespace perilune::effects
