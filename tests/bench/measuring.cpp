// See measuring.hpp.
// SPDX-License-Identifier: MIT
#include "tests/bench/measuring.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace perilune::bench {

void fail(const std::string& message) {
  fprintf(stderr, "bench: %s\n", message.c_str());
  std::_Exit(2);
}

ScratchDirectory::ScratchDirectory(const std::string& under) : path_(under + "/perilune-bench-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) fail("no directory could be made in " + under + ": " + std::strerror(errno));
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace perilune::bench
