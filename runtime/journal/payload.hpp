// The data of outcome records: a JSON object whose last member is the payload itself, so that the payload is cut out
// without parsing: {"started":1700000000000000,"attempt":2,"value":<JSON>} or {...,"error":<JSON>}.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perilune::journal {

// The members that may stand before the payload. Zero and empty ones are left out.
struct Meta {
  int64_t started_us = 0;
  int attempt = 0;
  std::string_view extra;   // further members as JSON text, e.g. "\"retry_at\":17\"", or empty
};

std::string with_value(const Meta& meta, std::string_view value_json);   // an empty value is written as null
std::string with_error(const Meta& meta, std::string_view error_json);

// The payload of data written by the two above; empty when there is none.
std::string_view value_of(std::string_view data);
std::string_view error_of(std::string_view data);
// The payload is an error (a value may have members of any name).
bool holds_error(std::string_view data);
// The integer member `name` of the part before the payload, or 0.
int64_t number_of(std::string_view data, std::string_view name);

}  // namespace perilune::journal
