// The values under keys of a store, as its runs see them: what is committed, and on top of it what was handed to the store and
// is on its way. Writes commit in the order in which they were handed over, so whoever has read one commits after it.
// Uses flow (key_value) and store.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "runtime/flow/key_value.hpp"
#include "runtime/store/store.hpp"

namespace perilune::engine {

class KeyTable final : public flow::KeyValues {
 public:
  KeyTable(std::function<store::StoreReader&()> reader, std::function<int64_t()> wall_us)
      : reader_(std::move(reader)), wall_us_(std::move(wall_us)) {}

  Result<std::optional<std::string>> value(const std::string& space, const std::string& key) override;
  Result<std::vector<store::Entry>> entries(const store::EntryQuery& query) override;
  Result<std::string> runs_of(const std::string& session, bool errors) override;
  std::function<void()> handed_over(const std::vector<store::EntryWrite>& writes) override;

 private:
  struct Pending {
    store::EntryWrite write;
    uint64_t number;           // of the handing over: a newer one stays when this is committed
  };
  std::function<store::StoreReader&()> reader_;
  std::function<int64_t()> wall_us_;
  std::map<std::pair<std::string, std::string>, Pending> pending_;   // by space and key
  uint64_t handed_over_ = 0;
};

}  // namespace perilune::engine
