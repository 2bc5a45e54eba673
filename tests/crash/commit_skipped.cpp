// The program `perilune` on a store that lies: the kill test's control. With COMMITS_SKIPPED_FROM=N in the environment
// the record N of a run and all after it are acknowledged and never written, as by a disk that forgets its cache.
//
// No switch for this is in the program that users get: the linker puts open_sqlite of this file in the place of the
// real one (--wrap, see tests/CMakeLists.txt), and main is that of bindings/cli. Uses sqlite_store.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/store/sqlite_store.hpp"

namespace perilune::store {
namespace {

// A skipped append goes down as one that changes nothing: so it is acknowledged in its turn, after a real commit.
class SkippingStore final : public Store {
 public:
  SkippingStore(std::unique_ptr<Store> real, uint64_t from) : real_(std::move(real)), from_(from) {}

  void append(Append append, loop::Loop& home, Done<void> done) override {
    auto first = std::find_if(append.records.begin(), append.records.end(),
                              [this](const journal::Record& record) { return record.seq >= from_; });
    if (first != append.records.end()) skipping_ = true;
    append.records.erase(first, append.records.end());
    if (skipping_) append.patch = {};
    real_->append(std::move(append), home, std::move(done));
  }

  void create(NewRun run, loop::Loop& home, Done<Created> done) override {
    real_->create(std::move(run), home, std::move(done));
  }
  void claim(const std::string& id, loop::Loop& home, Done<RunRow> done) override {
    real_->claim(id, home, std::move(done));
  }
  void put_bundle(std::string hash, std::string content, loop::Loop& home, Done<void> done) override {
    real_->put_bundle(std::move(hash), std::move(content), home, std::move(done));
  }
  void flush() override { real_->flush(); }
  void set_tap(Tap tap) override { real_->set_tap(std::move(tap)); }
  std::unique_ptr<StoreReader> reader() override { return real_->reader(); }
  void close() override { real_->close(); }

 private:
  std::unique_ptr<Store> real_;
  uint64_t from_;
  bool skipping_ = false;
};

}  // namespace

using Opened = Result<std::unique_ptr<Store>>;
Opened open_really(const SqliteOptions& options) asm("__real__ZN8perilune5store11open_sqliteERKNS0_13SqliteOptionsE");
Opened open_skipping(const SqliteOptions& options) asm("__wrap__ZN8perilune5store11open_sqliteERKNS0_13SqliteOptionsE");

Opened open_skipping(const SqliteOptions& options) {
  Opened real = open_really(options);
  const char* text = std::getenv("COMMITS_SKIPPED_FROM");
  if (!real.ok() || text == nullptr) return real;
  return std::unique_ptr<Store>(std::make_unique<SkippingStore>(std::move(*real), std::strtoull(text, nullptr, 10)));
}

}  // namespace perilune::store
