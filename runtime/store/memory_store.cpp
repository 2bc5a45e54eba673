// The store in memory (memory_store.hpp). It commits as the SQLite store does: one batch at a time, each holding what
// was queued up to its flush; the commit runs on the home loop of the batch's first operation.
// Destroyed without close(), it loses what is not committed, as a process that dies does.
// SPDX-License-Identifier: MIT
#include "runtime/store/memory_store.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "runtime/store/operation.hpp"
#include "runtime/store/rules.hpp"

namespace perilune::store {

class MemoryDisk {
 public:
  struct Run {
    RunRow row;
    std::vector<journal::Record> records;
  };
  std::mutex mutex;  // guards all below
  std::map<int64_t, Run> runs;
  std::map<std::string, int64_t> numbers;  // by id
  std::unordered_map<std::string, std::string> bundles;
  int64_t last_no = 0;
  // The order of all commits. What is forgotten stays in it until it would be most of it.
  struct Place {
    int64_t position;
    int64_t run;
    uint64_t seq;
  };
  std::vector<Place> order;
  size_t records = 0;

  void committed(const Run& run, size_t count) {
    int64_t position = order.empty() ? 0 : order.back().position;
    for (auto at = run.records.end() - static_cast<std::ptrdiff_t>(count); at != run.records.end(); ++at)
      order.push_back({++position, run.row.no, at->seq});
    records += count;
  }
  void forgot(size_t count) {
    records -= count;
    if (order.size() < 2 * records + 1000) return;
    auto is_gone = [this](const Place& place) { return find(place) == nullptr; };
    order.erase(std::remove_if(order.begin(), order.end() - 1, is_gone), order.end() - 1);   // the last keeps the count
  }
  const journal::Record* find(const Place& place) {
    Run* run = find(place.run);
    if (run == nullptr) return nullptr;
    auto at = std::lower_bound(run->records.begin(), run->records.end(), place.seq,
                               [](const journal::Record& record, uint64_t seq) { return record.seq < seq; });
    return at == run->records.end() || at->seq != place.seq ? nullptr : &*at;
  }

  Run* find(int64_t no) {
    auto found = runs.find(no);
    return found == runs.end() ? nullptr : &found->second;
  }
  Run* find(const std::string& id) {
    auto found = numbers.find(id);
    return found == numbers.end() ? nullptr : find(found->second);
  }
};

std::shared_ptr<MemoryDisk> make_memory_disk() { return std::make_shared<MemoryDisk>(); }

namespace {

bool matches(const RunRow& row, const Filter& filter) {
  const auto& wanted = filter.statuses;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), row.status) == wanted.end()) return false;
  if (!filter.workflow.empty() && row.workflow != filter.workflow) return false;
  if (!filter.session.empty() && row.session != filter.session) return false;
  return row.created_us >= filter.since_us;
}

template <class T>
bool is_full(const std::vector<T>& rows, int64_t limit) {
  return limit > 0 && rows.size() >= static_cast<size_t>(limit);
}

class MemoryReader final : public StoreReader {
 public:
  explicit MemoryReader(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

  Result<std::optional<RunRow>> run(const std::string& id) override {
    std::lock_guard lock(disk_->mutex);
    MemoryDisk::Run* found = disk_->find(id);
    return found == nullptr ? std::optional<RunRow>() : std::optional<RunRow>(found->row);
  }

  Result<std::vector<RunRow>> runs_by_prefix(const std::string& prefix, int64_t limit) override {
    std::lock_guard lock(disk_->mutex);
    std::vector<RunRow> rows;
    for (auto it = disk_->numbers.lower_bound(prefix); it != disk_->numbers.end() && it->first.starts_with(prefix);
         ++it) {
      if (is_full(rows, limit)) break;
      rows.push_back(disk_->find(it->second)->row);
    }
    return rows;
  }

  Result<std::vector<RunRow>> list(const Filter& filter) override {
    std::lock_guard lock(disk_->mutex);
    std::vector<RunRow> rows;
    for (const auto& [no, run] : disk_->runs)
      if (matches(run.row, filter)) rows.push_back(run.row);
    std::sort(rows.begin(), rows.end(), [](const RunRow& a, const RunRow& b) {
      return a.created_us != b.created_us ? a.created_us > b.created_us : a.no > b.no;
    });
    if (is_full(rows, filter.limit)) rows.resize(static_cast<size_t>(filter.limit));
    return rows;
  }

  Result<std::vector<journal::Record>> records(int64_t run_no, uint64_t from_seq, int64_t limit) override {
    std::lock_guard lock(disk_->mutex);
    std::vector<journal::Record> records;
    MemoryDisk::Run* found = disk_->find(run_no);
    if (found == nullptr) return records;
    auto at = std::lower_bound(found->records.begin(), found->records.end(), from_seq,
                               [](const journal::Record& record, uint64_t seq) { return record.seq < seq; });
    for (; at != found->records.end() && !is_full(records, limit); ++at) records.push_back(*at);
    return records;
  }

  Result<Journal> journal(const RunRow& row) override {
    Result<std::vector<journal::Record>> found = records(row.no, 1, 0);
    if (!found.ok()) return found.error();
    Journal journal{std::move(*found), std::nullopt};
    journal.flaw = journal::first_flaw(row.id, journal.records, std::vector<journal::Seal>(journal.records.size()));
    if (!journal.flaw) journal.flaw = flaw_of_end(row, journal.records);
    return journal;
  }

  Result<std::vector<RunRecord>> records_of_kinds(const std::vector<journal::Kind>& kinds, int64_t since_us) override {
    std::lock_guard lock(disk_->mutex);
    std::vector<RunRecord> found;
    for (auto at = disk_->order.rbegin(); at != disk_->order.rend(); ++at) {
      const journal::Record* record = disk_->find(*at);
      if (record == nullptr || record->at_us < since_us) continue;
      if (std::find(kinds.begin(), kinds.end(), record->kind) == kinds.end()) continue;
      const RunRow& row = disk_->find(at->run)->row;
      found.push_back({row.id, row.workflow, *record, at->position});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const RunRecord& a, const RunRecord& b) { return a.record.at_us > b.record.at_us; });
    return found;
  }

  Result<journal::RecordPage> records_after(const journal::RecordQuery& query) override {
    std::lock_guard lock(disk_->mutex);
    journal::RecordPage page;
    page.reached = query.after;
    auto at = std::upper_bound(disk_->order.begin(), disk_->order.end(), query.after,
                               [](int64_t after, const MemoryDisk::Place& place) { return after < place.position; });
    int64_t run_wanted = 0;
    if (!query.filter.run.empty()) {
      auto found = disk_->numbers.find(query.filter.run);
      if (found == disk_->numbers.end()) return page;
      run_wanted = found->second;
    }
    int64_t limit = std::max<int64_t>(query.limit, 1), bytes = 0;
    for (; at != disk_->order.end() && !page.more; ++at) {
      if (run_wanted != 0 && at->run != run_wanted) continue;
      const journal::Record* record = disk_->find(*at);
      if (record == nullptr) continue;
      page.reached = at->position;
      page.more = --limit == 0;
      const RunRow& row = disk_->find(at->run)->row;
      if (!query.filter.passes(row.id, row.workflow, record->kind)) continue;
      page.records.push_back({row.id, row.workflow, *record, at->position});
      bytes += static_cast<int64_t>(record->data.size());
      page.more = page.more || bytes > query.bytes;
    }
    return page;
  }

  Result<int64_t> last_position() override {
    std::lock_guard lock(disk_->mutex);
    for (auto at = disk_->order.rbegin(); at != disk_->order.rend(); ++at)
      if (disk_->find(*at) != nullptr) return at->position;
    return int64_t{0};
  }

  Result<std::optional<std::string>> bundle(const std::string& hash) override {
    std::lock_guard lock(disk_->mutex);
    auto found = disk_->bundles.find(hash);
    return found == disk_->bundles.end() ? std::optional<std::string>() : std::optional<std::string>(found->second);
  }

 private:
  std::shared_ptr<MemoryDisk> disk_;
};

using Allow = std::function<bool(const std::string& run, const journal::Record& record)>;

// Writes a batch to the disk. False = the process died in it: an operation is there as a whole or not at all.
class BatchWriter {
 public:
  // `told`, or null: gets a copy of what is written.
  BatchWriter(MemoryDisk& disk, const Allow& allow, std::vector<RunRecord>* told) : disk_(disk), allow_(allow), told_(told) {}

  bool write(std::vector<Operation>& batch) {
    std::lock_guard lock(disk_.mutex);
    return std::all_of(batch.begin(), batch.end(), [&](Operation& operation) {
      if (auto* append = std::get_if<AppendOp>(&operation.work)) return apply(*append, operation.refusal);
      if (auto* create = std::get_if<std::unique_ptr<CreateOp>>(&operation.work))
        return apply(**create, operation.refusal);
      if (auto* claim = std::get_if<std::unique_ptr<ClaimOp>>(&operation.work))
        return apply(**claim, operation.refusal);
      BundleOp& bundle = *std::get<std::unique_ptr<BundleOp>>(operation.work);
      disk_.bundles.try_emplace(std::move(bundle.hash), std::move(bundle.content));
      return true;
    });
  }

 private:
  bool apply(AppendOp& op, std::unique_ptr<Error>& refusal) {
    Append& append = op.append;
    MemoryDisk::Run* run = disk_.find(append.run);
    std::optional<Error> refused =
        run == nullptr ? no_such_run(append.run) : refuse_append(append, {run->row.epoch, run->row.last_seq, 0});
    if (refused) {
      refusal = std::make_unique<Error>(std::move(*refused));
      return true;
    }
    if (!allowed(run->row.id, append.records)) return false;
    RunRow& row = run->row;
    row.last_seq += append.records.size();
    if (!append.records.empty() || !is_empty(append.patch)) row.updated_us = std::max(row.updated_us, op.at_us);
    std::move(append.records.begin(), append.records.end(), std::back_inserter(run->records));
    committed(*run, append.records.size());
    for (const Forgotten& range : append.forgotten) disk_.forgot(forget(run->records, range, row.last_seq));
    if (append.patch.status) row.status = *append.patch.status;
    if (append.patch.wake_us) row.wake_us = *append.patch.wake_us;
    if (append.patch.output) row.output = std::move(*append.patch.output);
    if (append.patch.error) row.error = std::move(*append.patch.error);
    return true;
  }

  void committed(const MemoryDisk::Run& run, size_t count) {
    disk_.committed(run, count);
    if (told_ == nullptr) return;
    size_t first = run.records.size() - count;
    int64_t position = disk_.order.empty() ? 0 : disk_.order.back().position - static_cast<int64_t>(count);
    for (size_t i = first; i < run.records.size(); ++i)
      told_->push_back({run.row.id, run.row.workflow, run.records[i], ++position});
  }

  static size_t forget(std::vector<journal::Record>& records, const Forgotten& range, uint64_t newest) {
    return std::erase_if(records, [&](const journal::Record& record) {
      return record.seq >= range.first && record.seq <= range.last && record.seq != newest && !record.task.empty();
    });
  }

  bool apply(CreateOp& op, std::unique_ptr<Error>& refusal) {
    if (MemoryDisk::Run* standing = disk_.find(op.run.row.id)) {
      op.created = {standing->row, true};
      return true;
    }
    if (std::optional<Error> refused = refuse_create(op.run)) {
      refusal = std::make_unique<Error>(std::move(*refused));
      return true;
    }
    if (!allowed(op.run.row.id, op.run.records)) return false;
    RunRow& row = op.run.row;
    row.no = ++disk_.last_no;
    row.epoch = 1;
    row.last_seq = op.run.records.empty() ? 0 : op.run.records.back().seq;
    if (!op.run.records.empty()) row.updated_us = std::max(row.updated_us, op.run.records.back().at_us);
    disk_.numbers[row.id] = row.no;
    op.created = {row, false};
    int64_t no = row.no;
    auto [made, fresh] = disk_.runs.emplace(no, MemoryDisk::Run{std::move(row), std::move(op.run.records)});
    committed(made->second, made->second.records.size());
    return true;
  }

  bool apply(ClaimOp& op, std::unique_ptr<Error>& refusal) {
    MemoryDisk::Run* run = disk_.find(op.id);
    if (run == nullptr) {
      refusal = std::make_unique<Error>(no_such_run(op.id));
      return true;
    }
    run->row.epoch += 1;
    op.row = run->row;
    return true;
  }

  bool allowed(const std::string& run, const std::vector<journal::Record>& records) const {
    if (!allow_) return true;
    return std::all_of(records.begin(), records.end(), [&](const auto& record) { return allow_(run, record); });
  }

  MemoryDisk& disk_;
  const Allow& allow_;
  std::vector<RunRecord>* told_;
};

// What callbacks on loops may outlive the store to find gone.
class Committer : public std::enable_shared_from_this<Committer> {
 public:
  explicit Committer(MemoryOptions options) : options_(std::move(options)) {
    if (!options_.disk) options_.disk = make_memory_disk();
  }

  const std::shared_ptr<MemoryDisk>& disk() const { return options_.disk; }

  void submit(Operation operation) {
    std::lock_guard lock(mutex_);
    if (!dead_) queue_.push_back(std::move(operation));
  }

  void set_tap(Store::Tap tap) {
    std::lock_guard lock(mutex_);
    tap_ = std::move(tap);
  }

  void flush() {
    std::lock_guard lock(mutex_);
    flushed_ = queue_.size();
    if (under_way_.empty()) begin();
  }

  void close() {
    std::lock_guard lock(mutex_);
    write(under_way_);
    write(queue_);
    dead_ = true;
  }

  // What is not committed is lost. It is not destroyed here, under the mutex, but with the Committer.
  void cut() {
    std::lock_guard lock(mutex_);
    dead_ = true;
  }

 private:
  // All below: under the mutex.
  void begin() {
    if (flushed_ == 0 || dead_) return;
    auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::exchange(flushed_, 0));
    under_way_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    loop::Loop* home = under_way_.front().home;
    auto land = [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->land();
    };
    if (!options_.commit_delay_us) {
      home->post(land);
      return;
    }
    // By a post, for the timer belongs to the home's own thread.
    int64_t delay_us = options_.commit_delay_us();
    home->post([home, delay_us, land] { home->start_timer(delay_us, land); });
  }

  void land() {
    std::lock_guard lock(mutex_);
    write(under_way_);
    begin();
  }

  void write(std::vector<Operation>& batch) {
    if (dead_ || batch.empty()) return;
    std::vector<RunRecord> told;
    dead_ = !BatchWriter(*options_.disk, options_.allow, tap_ ? &told : nullptr).write(batch);
    if (!dead_ && !told.empty()) tap_(std::move(told));
    if (!dead_) post_completions(std::exchange(batch, {}));
  }

  MemoryOptions options_;
  std::mutex mutex_;
  std::vector<Operation> queue_;
  size_t flushed_ = 0;  // how many of the queue may go into the next batch
  std::vector<Operation> under_way_;
  bool dead_ = false;
  Store::Tap tap_;
};

class MemoryStore final : public QueuedStore {
 public:
  explicit MemoryStore(MemoryOptions options) : committer_(std::make_shared<Committer>(std::move(options))) {}
  ~MemoryStore() override { committer_->cut(); }

  void flush() override { committer_->flush(); }
  void set_tap(Tap tap) override { committer_->set_tap(std::move(tap)); }
  std::unique_ptr<StoreReader> reader() override { return std::make_unique<MemoryReader>(committer_->disk()); }
  void close() override { committer_->close(); }

 protected:
  void submit(Operation operation) override { committer_->submit(std::move(operation)); }

 private:
  std::shared_ptr<Committer> committer_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(MemoryOptions options) {
  return std::make_unique<MemoryStore>(std::move(options));
}

}  // namespace perilune::store
