// See workload.hpp.
// SPDX-License-Identifier: MIT
#include "tests/disk/workload.hpp"

#include <utility>

namespace perilune::disk {

using journal::Record;
using store::Status;

namespace {

constexpr int k_bundles = 4;
constexpr size_t k_runs_max = 6;

std::string run_id(size_t index) { return "run-" + std::to_string(index); }
std::string bundle_hash(uint64_t number) { return "bundle-" + std::to_string(number); }

std::string text_of(const Record& record) {
  std::string text = "  " + std::to_string(record.seq);
  for (uint64_t number : {uint64_t{record.generation}, static_cast<uint64_t>(record.kind), uint64_t{record.op},
                          record.fingerprint, static_cast<uint64_t>(record.at_us)})
    text += " " + std::to_string(number);
  return text + " " + record.task + " " + record.name + " " + record.data + "\n";
}

std::string text_of(const store::RunRow& row) {
  std::string text = row.id + " " + std::string(store::status_name(row.status)) + " " + row.output + " " + row.error;
  for (int64_t number : {row.no, row.version, static_cast<int64_t>(row.epoch), static_cast<int64_t>(row.last_seq),
                         row.updated_us, row.wake_us})
    text += " " + std::to_string(number);
  return text + "\n";
}

}  // namespace

std::string contents(store::StoreReader& reader) {
  Result<std::vector<store::RunRow>> rows = reader.list({});
  if (!rows.ok()) return one_line(rows.error());
  std::string text;
  for (const store::RunRow& row : *rows) {
    text += text_of(row);
    Result<std::vector<Record>> records = reader.records(row.no, 1, 0);
    if (!records.ok()) return one_line(records.error());
    for (const Record& record : *records) text += text_of(record);
    Result<store::Journal> journal = reader.journal(row);
    if (!journal.ok()) return one_line(journal.error());
    if (journal->flaw) text += "FLAW " + journal->flaw->what + "\n";
  }
  for (uint64_t number = 0; number < k_bundles; ++number) {
    Result<std::optional<std::string>> bundle = reader.bundle(bundle_hash(number));
    if (!bundle.ok()) return one_line(bundle.error());
    if (bundle->has_value()) text += bundle_hash(number) + " " + **bundle + "\n";
  }
  return text;
}

Workload::Workload(uint64_t seed, bool large) : random_(seed), large_(large), answered_(model()), newest_(answered_) {}

Record Workload::record(uint64_t seq) {
  Record made;
  made.seq = seq;
  made.kind = journal::Kind::step_done;
  made.op = static_cast<uint32_t>(seq);
  made.task = seq % 5 == 0 ? "" : "0";   // those of the run itself are kept where others go
  made.name = "step";
  made.fingerprint = random_.next();
  made.at_us = ++now_us_;
  uint64_t size = large_ ? random_.below(60'000) : random_.below(300);
  made.data = std::string(size, static_cast<char>('a' + seq % 26));
  return made;
}

Workload::Step Workload::next_append(size_t index) {
  Known& run = known_[index];
  Step step{Step::k_append, run_id(index), {}};
  step.append.run = static_cast<int64_t>(index) + 1;
  step.append.epoch = run.epoch;
  for (uint64_t left = random_.below(4) + 1; left > 0; --left) step.append.records.push_back(record(++run.last_seq));
  if (random_.below(3) == 0) {
    step.append.patch.status = random_.below(2) == 0 ? Status::waiting : Status::running;
    step.append.patch.output = "\"" + std::to_string(run.last_seq) + "\"";
  }
  if (random_.below(4) == 0 && run.last_seq > run.base + 3) {
    step.append.records.push_back(record(++run.last_seq));
    step.append.records.back().kind = journal::Kind::loop_snapshot;   // it stands for those that go
    step.append.forgotten.push_back({run.base + 1, run.last_seq - 1});
    run.base = run.last_seq - 1;
  }
  return step;
}

Workload::Steps Workload::next_batch() {
  Steps steps;
  for (uint64_t left = random_.below(5) + 1; left > 0; --left) {
    uint64_t what = random_.below(10);
    if (known_.empty() || (what == 0 && known_.size() < k_runs_max)) {
      steps.push_back({Step::k_create, run_id(known_.size()), {}});
      steps.back().append.records.push_back(record(1));
      known_.push_back({1, 1, 1});
    } else if (what == 1) {
      steps.push_back({Step::k_bundle, bundle_hash(random_.below(k_bundles)), {}});
    } else if (what == 2) {
      size_t index = random_.below(known_.size());
      steps.push_back({Step::k_claim, run_id(index), {}});
      ++known_[index].epoch;
    } else {
      steps.push_back(next_append(random_.below(known_.size())));
    }
  }
  return steps;
}

// How many of them were answered well.
size_t Workload::ask(store::Store& store, loop::SimLoop& loop, const Steps& steps) {
  auto good = std::make_shared<size_t>(0);
  auto count = [this, good](const auto& result) {
    if (result.ok()) ++*good;
    else last_error_ = one_line(result.error());
  };
  for (const Step& step : steps) {
    if (step.what == Step::k_create) {
      store::NewRun run;
      run.row.id = step.run;
      run.row.workflow = "order";
      run.row.input = "{}";
      run.row.status = Status::running;
      run.row.created_us = run.row.updated_us = step.append.records.front().at_us;
      run.records = step.append.records;
      store.create(std::move(run), loop, [count](const Result<store::Created>& created) { count(created); });
    } else if (step.what == Step::k_append) {
      store.append(step.append, loop, [count](const Result<void>& result) { count(result); });
    } else if (step.what == Step::k_claim) {
      store.claim(step.run, loop, [count](const Result<store::RunRow>& row) { count(row); });
    } else {
      store.put_bundle(step.run, "code of " + step.run, loop, [count](const Result<void>& result) { count(result); });
    }
  }
  store.flush();
  loop.run();
  return *good;
}

// A store in memory that has had all batches.
std::string Workload::model() {
  loop::SimLoop loop;
  std::unique_ptr<store::Store> store = store::make_memory_store();
  for (const Steps& steps : batches_) ask(*store, loop, steps);
  std::string text = contents(*store->reader());
  store->close();
  return text;
}

bool Workload::batch(store::Store& store, loop::SimLoop& loop) {
  before_ = known_;
  batches_.push_back(next_batch());
  last_error_.clear();
  newest_ = model();
  bool good = ask(store, loop, batches_.back()) == batches_.back().size();
  if (good) answered_ = newest_;
  return good;
}

std::string Workload::compare(const std::string& found) {
  if (found == newest_) {
    answered_ = newest_;
    return "";
  }
  if (found != answered_)
    return "the store holds\n" + found + "and not what was answered\n" + answered_ + "nor, with what was under way,\n" + newest_;
  batches_.pop_back();
  known_ = before_;
  newest_ = answered_;
  return "";
}

}  // namespace perilune::disk
