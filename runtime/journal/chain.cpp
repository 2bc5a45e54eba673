// See chain.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/journal/chain.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/journal/gaps.hpp"

namespace perilune::journal {

namespace {

// The numbers of a record, and how long its texts are, as they are hashed. Never changed: seals lie on disks.
struct Numbers {
  uint64_t seq, kind_and_generation, op, fingerprint, at_us, task_size, name_size, data_size;
};
static_assert(sizeof(Numbers) == 64, "no padding, whose bytes would be any");

std::string record_text(uint64_t seq) { return "record " + std::to_string(seq); }

std::optional<Flaw> flaw_of(const Record& record, const Seal& seal, const std::optional<uint64_t>& before, uint64_t origin,
                            bool follows) {
  if (!seal.seal) {
    if (!before) return std::nullopt;
    return Flaw{record.seq, record_text(record.seq) + " has lost its seal"};
  }
  if (follows && before && seal.before && *seal.before != *before)
    return Flaw{record.seq, record_text(record.seq) + " was written after another one than " + record_text(record.seq - 1)};
  uint64_t hangs_on = seal.before ? *seal.before : follows && before ? *before : origin;
  if (seal_of(record, hangs_on) != *seal.seal)
    return Flaw{record.seq, record_text(record.seq) + " is not as it was written"};
  return std::nullopt;
}

}  // namespace

uint64_t chain_origin(std::string_view run_id) { return hash64(run_id); }

uint64_t seal_of(const Record& record, uint64_t before) {
  const Numbers numbers = {record.seq,
                           static_cast<uint64_t>(record.kind) << 32 | record.generation,
                           record.op,
                           record.fingerprint,
                           static_cast<uint64_t>(record.at_us),
                           record.task.size(),
                           record.name.size(),
                           record.data.size()};
  uint64_t seal = hash64({reinterpret_cast<const char*>(&numbers), sizeof(numbers)}, before);
  seal = hash64(record.task, seal);
  seal = hash64(record.name, seal);
  return hash64(record.data, seal);
}

std::optional<Flaw> first_flaw(std::string_view run_id, const std::vector<Record>& records, const std::vector<Seal>& seals) {
  const uint64_t origin = chain_origin(run_id);
  std::optional<uint64_t> before;   // the newest seal
  for (size_t i = 0; i < records.size(); ++i) {
    if (i > 0 && records[i - 1].seq + 1 < records[i].seq && before && seals[i].seal && !seals[i].before)
      return Flaw{records[i - 1].seq + 1, record_text(records[i - 1].seq + 1) + " is missing"};
    bool follows = i > 0 && records[i - 1].seq + 1 == records[i].seq;
    if (auto flaw = flaw_of(records[i], seals[i], before, origin, follows)) return flaw;
    if (seals[i].seal) before = seals[i].seal;
  }
  uint64_t missing = first_missing(records);
  return missing == 0 ? std::nullopt : std::optional<Flaw>({missing, record_text(missing) + " is missing"});
}

}  // namespace perilune::journal
