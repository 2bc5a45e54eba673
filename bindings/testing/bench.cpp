// Runs under test by handle, and where their scripts are found; see bench.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/testing/bench.hpp"

#include <filesystem>
#include <system_error>

#include "runtime/effects/file.hpp"

namespace perilune::testing {

namespace {
constexpr int64_t k_script_bytes_max = 16 << 20;
}

Bench::~Bench() { clear(); }

Bench*& Bench::now() {
  thread_local Bench* bench = nullptr;
  return bench;
}

Result<Trial::Order> Bench::find(const std::string& name) const {
  namespace fs = std::filesystem;
  std::string file = name.ends_with(".lua") ? name : name + ".lua";
  std::string looked;
  for (const fs::path& place : {fs::path(directory_), fs::path(directory_) / "..", fs::path(cwd_)}) {
    fs::path path = (place / file).lexically_normal();
    std::error_code failed;
    if (fs::is_regular_file(path, failed)) {
      Result<std::string> text = effects::read_file(path.string(), k_script_bytes_max);
      if (!text.ok()) return text.error();
      Trial::Order order;
      order.file = file;
      order.text = std::move(*text);
      order.directory = path.parent_path().string();
      return order;
    }
    looked += (looked.empty() ? "" : ", ") + path.string();
  }
  return Error(code::k_not_found, "no workflow '" + name + "': looked for " + looked);
}

size_t Bench::begin(Trial::Order order, std::unique_ptr<Mocks> mocks) {
  Begun begun;
  begun.trial = std::make_unique<Trial>(std::move(order), *mocks);
  begun.mocks = std::move(mocks);
  begun_.push_back(std::move(begun));
  return begun_.size();
}

Trial* Bench::trial(size_t handle) {
  return handle == 0 || handle > begun_.size() ? nullptr : begun_[handle - 1].trial.get();
}

void Bench::clear() {
  for (Begun& begun : begun_) begun.trial.reset();   // before the mocks that they ask
  begun_.clear();
}

}  // namespace perilune::testing
