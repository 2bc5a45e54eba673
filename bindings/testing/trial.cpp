// Lives of a run under test; see trial.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/testing/trial.hpp"

#include <algorithm>
#include <utility>

#include "bindings/api/api.hpp"
#include "bindings/lua/host.hpp"
#include "runtime/base/ids.hpp"

namespace perilune::testing {

using journal::Kind;
using journal::Record;

// One process: it is gone when its store has refused a record.
struct Trial::Process {
  explicit Process(int64_t wall_us) : loop(wall_us) {}
  loop::SimLoop loop;
  bool dead = false;
  bool over = false;                    // the run is, or this life of it
  std::unique_ptr<store::Store> store;
  std::unique_ptr<engine::ScriptHost> host;
  std::unique_ptr<engine::Engine> engine;
};

Trial::Trial(Order order, Mocks& mocks)
    : order_(std::move(order)), mocks_(mocks), begun_us_(1'767'225'600'000'000), wall_us_(begun_us_) {}   // 2026-01-01

Trial::~Trial() = default;

void Trial::live(uint64_t records) {
  process_.reset();
  process_ = std::make_unique<Process>(wall_us_);
  Process& process = *process_;
  store::MemoryOptions memory;
  memory.disk = disk_;
  memory.allow = [&process, left = records](const std::string&, const Record&) mutable {
    if (left == 0) process.dead = true;
    if (!process.dead) --left;
    return !process.dead;
  };
  process.store = store::make_memory_store(std::move(memory));
  process.host = lua::make_lua_host(api::open);
  engine::Engine::Options options;
  options.loop = &process.loop;
  options.store = process.store.get();
  options.host = process.host.get();
  options.observer = this;
  options.settings = order_.settings;
  options.builtin_modules = lua::stdlib_modules();
  options.stand_in = this;
  process.engine = std::make_unique<engine::Engine>(std::move(options));

  auto reader = process.store->reader();
  bool resume = !journal(*reader).empty();
  auto started = [this](const Result<store::RunRow>& row) {
    if (!row.ok()) refused_ = std::make_unique<Error>(row.error());
  };
  auto ended = [&process](const store::RunRow&, const flow::Ending&) { process.over = true; };
  if (resume) {
    process.engine->resume(order_.id, started, ended);
  } else {
    engine::StartRequest request;
    request.file = order_.file;
    request.text = order_.text;
    request.directory = request.cwd = order_.directory;
    request.workflow = order_.workflow;
    request.input = order_.input;
    request.id = order_.id;
    process.engine->start(std::move(request), started, ended);
  }
  plan_signals();
}

// Each has an id: what a life before has received is not received again.
void Trial::plan_signals() {
  for (size_t i = 0; i < order_.signals.size(); ++i) {
    const Signal& signal = order_.signals[i];
    auto send = [this, &signal, i] {
      process_->engine->signal(order_.id, signal.name, signal.value, "planned-" + std::to_string(i + 1), [](Result<void>) {});
    };
    process_->loop.start_timer(std::max<int64_t>(1, begun_us_ + signal.at_us - wall_us_), send);
  }
}

void Trial::run_on() {
  while (!process_->dead && process_->loop.step()) {
  }
  wall_us_ = process_->loop.clock().wall_us();
}

void Trial::advance(int64_t us) {
  bool there = false;
  process_->loop.start_timer(us, [&there] { there = true; });
  while (!there && !process_->dead && process_->loop.step()) {
  }
  process_->loop.advance_us(0);   // what is due at this very moment
  wall_us_ = process_->loop.clock().wall_us();
}

void Trial::signal(const std::string& name, const std::string& value) {
  process_->engine->signal(order_.id, name, value, {}, [this](const Result<void>& sent) {
    if (!sent.ok()) refused_ = std::make_unique<Error>(sent.error());
  });
  process_->loop.advance_us(0);
}

uint64_t Trial::records() { return journal(*open_reader()).size(); }

std::unique_ptr<store::StoreReader> Trial::open_reader() { return process_->store->reader(); }
loop::Loop& Trial::stage() { return process_->loop; }

std::vector<Record> Trial::journal(store::StoreReader& reader) {
  auto row = reader.run(order_.id);
  if (!row.ok() || !row->has_value()) return {};
  auto records = reader.records((*row)->no, 1, 0);
  if (!records.ok()) return {};
  for (const Record& record : *records)
    if (record.kind == Kind::step_done || record.kind == Kind::compensation_done)
      recorded_.insert(flow::operation_key(order_.id, record.task, record.op, record.generation));
  return std::move(*records);
}

void Trial::log(const store::RunRow&, int64_t, const char* level, std::string_view text, std::string_view fields) {
  logs_.push_back({level, std::string(text), std::string(fields)});
}

// A step whose result was on disk when this life began, and that begins again, would do its effects twice.
void Trial::note_attempt(const std::string& name, const std::string& key) {
  if (recorded_.contains(key)) repeated_.push_back(name);
}

}  // namespace perilune::testing
