// What a test says instead of the world: by the names of steps, compensations and effects.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace perilune::testing {

class Mocks {
 public:
  struct Answer {
    Result<std::string> value;   // JSON text
    int64_t after_us = 0;        // of virtual time
  };
  virtual ~Mocks() = default;
  virtual bool has(const std::string& name) = 0;
  // `arguments`: a JSON array; of a step its attempt ({"number","key"}) and its input.
  virtual Answer answer(const std::string& name, const std::string& arguments) = 0;
};

}  // namespace perilune::testing
