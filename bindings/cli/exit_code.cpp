// See exit_code.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/exit_code.hpp"

#include <iterator>
#include <string_view>

namespace perilune::cli {
namespace {

struct CodeRow {
  std::string_view code;
  int exit;
};

// Codes that are not here come from the script or its input.
constexpr CodeRow k_codes[] = {
    {code::k_usage, k_exit_usage},     {code::k_not_found, k_exit_usage},
    {code::k_conflict, k_exit_usage},  {code::k_damaged, k_exit_damaged},
    {code::k_storage, k_exit_storage}, {code::k_io, k_exit_storage},
    {code::k_denied, k_exit_storage},  {code::k_owned, k_exit_owned},
    {code::k_fenced, k_exit_owned},    {code::k_newer_schema, k_exit_newer_schema},
    {code::k_internal, k_exit_failed},
};

}  // namespace

int exit_code_of(const Error& error) {
  for (const CodeRow& row : k_codes)
    if (row.code == error.code) return row.exit;
  return k_exit_invalid;
}

int exit_code_of(store::Status status, const Error* error) {
  switch (status) {
    case store::Status::completed:
      return k_exit_ok;
    case store::Status::failed:
    case store::Status::cancelled:
    case store::Status::diverged:
    case store::Status::quarantined:
      return k_exit_failed;
    case store::Status::paused:   // its error is why it paused, not why this process stopped
      return k_exit_left;
    case store::Status::queued:
    case store::Status::running:
    case store::Status::waiting:
      break;
  }
  return error == nullptr ? k_exit_left : exit_code_of(*error);
}

}  // namespace perilune::cli
