// See input_option.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/input_option.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bindings/cli/json_position.hpp"
#include "runtime/effects/file.hpp"

namespace perilune::cli {
namespace {

constexpr int64_t k_input_bytes_max = 1 << 30;
constexpr size_t k_chunk_bytes = 64 * 1024;

Result<std::string> read_stdin() {
  std::string text;
  std::string chunk(k_chunk_bytes, '\0');
  for (;;) {
    ssize_t size = read(STDIN_FILENO, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0)
      return Error(code::k_validation, std::string("cannot read the input from stdin: ") + std::strerror(errno));
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<size_t>(size));
    if (text.size() > static_cast<size_t>(k_input_bytes_max))
      return Error(code::k_limit, "the input is longer than 1 GiB");
  }
}

}  // namespace

Result<std::string> read_input(const std::string& option) {
  std::string what = "--input";
  Result<std::string> text = option;
  if (option == "-") {
    what = "stdin";
    text = read_stdin();
  } else if (!option.empty() && option.front() == '@') {
    what = option.substr(1);
    text = effects::read_file(what, k_input_bytes_max);
  }
  if (!text.ok()) return Error(code::k_validation, text.error().message);
  if (Result<void> valid = check_json(*text); !valid.ok())
    return Error(code::k_validation, "input from " + what + ": " + valid.error().message);
  return text;
}

}  // namespace perilune::cli
