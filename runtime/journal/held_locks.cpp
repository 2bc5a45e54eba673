// See held_locks.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/journal/held_locks.hpp"

#include <map>
#include <utility>

namespace perilune::journal {

std::vector<HeldLock> held_locks(const std::vector<Record>& living) {
  std::map<std::pair<std::string, uint32_t>, HeldLock> held;
  for (const Record& record : living) {
    if (record.kind == Kind::lock_granted || record.kind == Kind::lock_taken)
      held[{record.task, record.op}] = {record.name, record.task, record.op, record.kind == Kind::lock_granted, record.at_us};
    if (record.kind == Kind::lock_released) held.erase({record.task, record.op});
    if (record.kind == Kind::run_done) held.clear();
  }
  std::vector<HeldLock> locks;
  for (auto& [call, lock] : held) locks.push_back(std::move(lock));
  return locks;
}

}  // namespace perilune::journal
