// Values under keys, against each store: they stand with the records that they came with, or not at all.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;

namespace {

constexpr int64_t k_late = int64_t{1} << 60;   // long after all records

EntryWrite put(std::string space, std::string key, std::string value, int64_t expires_us = 0) {
  return {std::move(space), std::move(key), std::move(value), expires_us};
}
EntryWrite gone(std::string space, std::string key) { return {std::move(space), std::move(key), std::nullopt, 0}; }

template <class B>
Result<void> write(B& bench, const RunRow& row, uint64_t seq, std::vector<EntryWrite> entries) {
  Append append = append_to(row, {record(seq)});
  append.entries = std::move(entries);
  return bench.calls().append(std::move(append));
}

std::string keys(const std::vector<Entry>& entries) {
  std::string text;
  for (const Entry& entry : entries) text += (text.empty() ? "" : " ") + entry.key + "=" + entry.value;
  return text;
}

}  // namespace

STORE_CASE("an entry is written with the record that it comes with, replaced and removed") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  REQUIRE(write(bench, row, 2, {put("s", "b", "1"), put("s", "a", "[2]", k_late), put("t", "a", "3")}).ok());
  auto reader = bench.store->reader();
  CHECK(reader->entry("s", "a").value() == Entry{"a", "[2]", k_late});
  CHECK(reader->entry("t", "a").value()->value == "3");
  CHECK_FALSE(reader->entry("t", "b").value().has_value());
  REQUIRE(write(bench, row, 3, {put("s", "a", "4"), gone("s", "b"), gone("s", "never")}).ok());
  CHECK(reader->entry("s", "a").value() == Entry{"a", "4", 0});
  CHECK_FALSE(reader->entry("s", "b").value().has_value());
}

STORE_CASE("an append that is refused writes no entry") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  CHECK_FALSE(write(bench, row, 7, {put("s", "a", "1")}).ok());
  CHECK_FALSE(bench.store->reader()->entry("s", "a").value().has_value());
}

STORE_CASE("entries are listed by key, by prefix, and without what has expired") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  REQUIRE(write(bench, row, 2,
                {put("s", "b2", "1"), put("s", "b1", "2"), put("s", "c", "3"), put("s", "b3", "4", k_late), put("other", "b", "5"),
                 put("s", "a", "6")}).ok());
  auto reader = bench.store->reader();
  CHECK(keys(reader->entries({"s", "", 0, 100}).value()) == "a=6 b1=2 b2=1 b3=4 c=3");
  CHECK(keys(reader->entries({"s", "b", 0, k_late}).value()) == "b1=2 b2=1");
  CHECK(keys(reader->entries({"s", "b", 1, 100}).value()) == "b1=2");
  CHECK(keys(reader->entries({"none", "", 0, 0}).value()).empty());
}

STORE_CASE("what has expired goes with later writes") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  REQUIRE(write(bench, row, 2, {put("s", "old", "1", 5), put("s", "young", "2", k_late)}).ok());
  REQUIRE(write(bench, row, 3, {put("s", "new", "3")}).ok());
  CHECK(keys(bench.store->reader()->entries({"s", "", 0, 0}).value()) == "new=3 young=2");
}
