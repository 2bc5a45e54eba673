// A directory for a test of files, gone at its end.
// SPDX-License-Identifier: MIT
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "runtime/effects/file.hpp"

namespace perilune::effects {

class FileBench {
 public:
  FileBench() {
    auto made = make_temp_directory("perilune-test-");
    REQUIRE(made.ok());
    root_ = *made;
  }
  ~FileBench() { (void)remove_file(root_, true); }

  const std::string& root() const { return root_; }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    const auto entries = list_directory(root_);
    for (const FileStat& entry : *entries) out.push_back(entry.path);
    return out;
  }

 private:
  std::string root_;
};

}  // namespace perilune::effects
