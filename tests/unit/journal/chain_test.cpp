// The chain of seals: whatever is done to a journal behind our back is found, and what may happen to it is not.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <functional>

#include "runtime/journal/chain.hpp"

using namespace perilune::journal;

namespace {

struct Sealed {
  std::vector<Record> records;
  std::vector<Seal> seals;
  std::optional<Flaw> flaw(const std::string& run = "run-1") const { return first_flaw(run, records, seals); }
};

Record record(uint64_t seq) {
  Record made;
  made.seq = seq;
  made.generation = 1;
  made.kind = Kind::step_done;
  made.op = 3;
  made.task = "0.1";
  made.name = "charge";
  made.fingerprint = 0xfedcba9876543210u;
  made.at_us = 1'700'000'000'000'000 + static_cast<int64_t>(seq);
  made.data = "{\"value\":" + std::to_string(seq) + "}";
  return made;
}

// `from`: the first that is sealed.
Sealed journal(uint64_t count, uint64_t from = 1) {
  Sealed made;
  uint64_t before = chain_origin("run-1");
  for (uint64_t seq = 1; seq <= count; ++seq) {
    made.records.push_back(record(seq));
    Seal seal;
    if (seq >= from) before = *(seal.seal = seal_of(made.records.back(), before));
    made.seals.push_back(seal);
  }
  return made;
}

// As a loop lets go: the next keeps the seal of the last that goes.
void let_go(Sealed& of, size_t first, size_t last) {
  of.seals[last + 1].before = of.seals[last].seal;
  of.records.erase(of.records.begin() + static_cast<long>(first), of.records.begin() + static_cast<long>(last) + 1);
  of.seals.erase(of.seals.begin() + static_cast<long>(first), of.seals.begin() + static_cast<long>(last) + 1);
}

}  // namespace

TEST_CASE("a journal as it was written has no flaw, with or without records from before there were seals", "[journal]") {
  CHECK_FALSE(journal(1).flaw());
  CHECK_FALSE(journal(9).flaw());
  CHECK_FALSE(journal(9, 5).flaw());
  CHECK_FALSE(journal(9, 10).flaw());
}

TEST_CASE("a change of any member of a record is found, at that record", "[journal]") {
  const std::vector<std::function<void(Record&)>> changes = {
      [](Record& r) { r.generation ^= 1; },      [](Record& r) { r.kind = Kind::step_failed; },
      [](Record& r) { r.op ^= 1; },              [](Record& r) { r.task += "1"; },
      [](Record& r) { r.name = "charg"; },       [](Record& r) { r.fingerprint ^= 1ull << 63; },
      [](Record& r) { r.at_us ^= 1; },           [](Record& r) { r.data[3] ^= 1; },
      [](Record& r) { r.name += r.data, r.data.clear(); },
  };
  for (const auto& change : changes) {
    for (size_t at : {0u, 4u, 8u}) {
      Sealed made = journal(9);
      change(made.records[at]);
      REQUIRE(made.flaw());
      CHECK(made.flaw()->seq == at + 1);
    }
  }
}

TEST_CASE("every bit of a record's text counts", "[journal]") {
  for (size_t bit = 0; bit < 8 * record(5).data.size(); ++bit) {
    Sealed made = journal(9);
    made.records[4].data[bit / 8] = static_cast<char>(made.records[4].data[bit / 8] ^ 1 << bit % 8);
    CHECK(made.flaw());
  }
}

TEST_CASE("records that are swapped, taken out, of another run or robbed of their seal are found", "[journal]") {
  Sealed swapped = journal(9);
  std::swap(swapped.records[3].data, swapped.records[4].data);
  std::swap(swapped.seals[3], swapped.seals[4]);
  CHECK(swapped.flaw()->seq == 4);

  Sealed shorter = journal(9);
  shorter.records.erase(shorter.records.begin() + 4);
  shorter.seals.erase(shorter.seals.begin() + 4);
  CHECK(shorter.flaw()->seq == 5);
  CHECK(shorter.flaw()->what == "record 5 is missing");

  CHECK(journal(9).flaw("run-2")->seq == 1);

  Sealed robbed = journal(9);
  robbed.seals[4].seal.reset();
  CHECK(robbed.flaw()->what == "record 5 has lost its seal");
}

TEST_CASE("the chain goes on over records that a loop has let go, and over nothing else", "[journal]") {
  Sealed made = journal(9);
  made.records[7].kind = Kind::loop_snapshot;
  uint64_t before = *made.seals[6].seal;
  for (size_t i : {7u, 8u}) before = *(made.seals[i].seal = seal_of(made.records[i], before));
  let_go(made, 2, 5);
  CHECK_FALSE(made.flaw());

  Sealed forged = made;
  forged.seals[2].before = *forged.seals[2].before ^ 1;
  CHECK(forged.flaw()->seq == 7);
  Sealed cut = made;
  cut.seals[2].before.reset();
  CHECK(cut.flaw()->seq == 3);

  Sealed unasked = journal(9);   // no snapshot stands for them
  let_go(unasked, 2, 5);
  CHECK(unasked.flaw()->what == "record 3 is missing");
}
