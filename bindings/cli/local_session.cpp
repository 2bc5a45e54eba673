// See local_session.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/local_session.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "bindings/api/api.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/lua/host.hpp"
#include "runtime/effects/file.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "runtime/store/memory_store.hpp"
#include "runtime/store/sqlite_store.hpp"

namespace perilune::cli {

using store::RunRow;
using store::Status;

namespace {
constexpr int64_t k_hook_bytes_max = 4 << 20;
}

Result<std::unique_ptr<LocalSession>> LocalSession::open(Config config, StorePlace place, const CommonOptions& options) {
  std::unique_ptr<LocalSession> session(new LocalSession(std::move(config), std::move(place), options));
  if (Result<void> opened = session->open_store(); !opened.ok()) return opened.error();
  engine::Engine::Options engine;
  engine.loop = session->loop_.get();
  engine.store = session->store_.get();
  engine.host = session->host_.get();
  engine.observer = session.get();
  engine.settings = session->config_.engine;
  engine.builtin_modules = lua::stdlib_modules();
  if (!session->config_.hook_files.empty() || !options.hooks.empty()) {
    session->hook_scripts_ = lua::make_lua_host(api::open_for_hooks);
    engine.hook_scripts = session->hook_scripts_.get();
  }
  session->engine_ = std::make_unique<engine::Engine>(std::move(engine));
  if (Result<void> loaded = session->load_hooks(); !loaded.ok()) return loaded.error();
  session->watch_signals();
  return session;
}

LocalSession::LocalSession(Config config, StorePlace place, const CommonOptions& options)
    : config_(std::move(config)),
      place_(std::move(place)),
      options_(options),
      loop_(loop::make_uv_loop()),
      host_(lua::make_lua_host(api::open)),
      run_log_(place_.logs) {
  if (!options.quiet) progress_ = make_progress(*loop_, STDERR_FILENO, options.json);
}

LocalSession::~LocalSession() { close(); }

Result<void> LocalSession::open_store() {
  if (place_.memory) {
    store_ = store::make_memory_store();
    return {};
  }
  if (Result<void> made = make_store_home(place_); !made.ok()) return made;
  auto opened = store::open_sqlite({place_.path, config_.relaxed});
  if (!opened.ok()) return opened.error();
  store_ = std::move(*opened);
  return {};
}

// Those of the configuration, then those of the command line.
Result<void> LocalSession::load_hooks() {
  std::error_code failed;
  const std::filesystem::path cwd = std::filesystem::current_path(failed);
  auto load = [&](const std::string& name, const std::filesystem::path& base) -> Result<void> {
    std::filesystem::path path = base / name;
    Result<std::string> text = effects::read_file(path.string(), k_hook_bytes_max);
    if (!text.ok()) return Error(code::k_usage, "hook file " + name + ": " + text.error().message);
    engine::HookSource source{name, std::move(*text), std::filesystem::weakly_canonical(path, failed).parent_path().string(), cwd.string()};
    Result<void> added = engine_->add_hook_file(std::move(source));
    if (!added.ok()) added.error().message = "hook file " + name + ": " + added.error().message;
    return added;
  };
  for (const std::string& name : config_.hook_files)
    if (Result<void> loaded = load(name, config_.hooks_base); !loaded.ok()) return loaded;
  for (const std::string& name : options_.hooks)
    if (Result<void> loaded = load(name, cwd); !loaded.ok()) return loaded;
  return {};
}

// A signal that whoever started us wanted ignored (nohup, a shell's background job) stays ignored.
void LocalSession::watch_signals() {
  for (int number : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    loop_->on_signal(number, [this] {
      left_ = true;
      for (int again : {SIGINT, SIGTERM}) loop_->on_signal(again, {});
      loop_->stop();
    });
  }
}

void LocalSession::start(engine::StartRequest request) {
  size_t index = outcomes_.size();
  outcomes_.emplace_back();
  ++open_;
  engine_->start(
      std::move(request), [this, index](Result<RunRow> row) { begun(index, row, {}); },
      [this, index](const RunRow& row, const flow::Ending& ending) { over(index, row, ending); });
}

void LocalSession::cancel(const std::string& id, const std::string& by) {
  take_up(id, [this, id, by] { engine_->cancel(id, by); });
}

void LocalSession::take_up(const std::string& id, std::function<void()> then) {
  size_t index = outcomes_.size();
  outcomes_.emplace_back();
  outcomes_.back().result.run = id;
  ++open_;
  engine_->resume(
      id, [this, index, then = std::move(then)](Result<RunRow> row) { begun(index, row, then); },
      [this, index](const RunRow& row, const flow::Ending& ending) { over(index, row, ending); });
}

void LocalSession::operate(const std::string& id, const engine::Order& order, bool go_on) {
  size_t index = outcomes_.size();
  outcomes_.emplace_back();
  outcomes_.back().result.run = id;
  ++open_;
  engine_->operate(id, order, [this, index, go_on](Result<RunRow> row) { operated(index, row, go_on); });
}

void LocalSession::fork(const std::string& id, const engine::ForkOrder& order) {
  size_t index = outcomes_.size();
  outcomes_.emplace_back();
  ++open_;
  engine_->fork(id, order, [this, index](Result<RunRow> row) { operated(index, row, true); });
}

void LocalSession::operated(size_t index, const Result<RunRow>& row, bool go_on) {
  if (row.ok() && go_on) {
    outcomes_[index].result = result_of(*row);
    return engine_->resume(
        row->id, [this, index](Result<RunRow> begun_row) { begun(index, begun_row, {}); },
        [this, index](const RunRow& ended_row, const flow::Ending& ending) { over(index, ended_row, ending); });
  }
  Outcome& outcome = outcomes_[index];
  if (row.ok()) outcome.result = result_of(*row);
  else outcome.refused = std::make_unique<Error>(row.error());
  outcome.over = true;
  one_less();
}

void LocalSession::begun(size_t index, const Result<RunRow>& row, const std::function<void()>& then) {
  Outcome& outcome = outcomes_[index];
  if (!row.ok()) {
    outcome.refused = std::make_unique<Error>(row.error());
    outcome.over = true;
    return one_less();
  }
  outcome.result = result_of(*row);
  outcome.result.existed = seen_.count(row->id) == 0;  // nothing went on: it is over, and ended() follows
  if (then) then();
}

void LocalSession::over(size_t index, const RunRow& row, const flow::Ending& ending) {
  Outcome& outcome = outcomes_[index];
  RunResult& result = outcome.result;
  result.run = row.id;
  result.workflow = row.workflow;
  result.status = ending.status;
  result.output = ending.output;
  result.error = ending.error;
  if (auto seen = seen_.find(row.id); seen != seen_.end()) {
    result.records = seen->second.last_seq;
    result.duration_us = std::max<int64_t>(0, seen->second.last_us - row.created_us);
  }
  outcome.over = true;
  one_less();
}

void LocalSession::one_less() {
  if (--open_ == 0 && waits_) loop_->stop();   // a stop before wait() would end what is still to come
}

Result<void> LocalSession::signal(const std::string& run, const std::string& name, const std::string& value) {
  return until_stored([&](auto done) { engine_->signal(run, name, value, "", std::move(done)); });
}

Result<void> LocalSession::answer(const std::string& run, uint64_t question, const std::string& value, const std::string& by) {
  return until_stored([&](auto done) { engine_->answer(run, {question, value, by, std::move(done)}); });
}

Result<void> LocalSession::until_stored(const std::function<void(std::function<void(Result<void>)> done)>& ask) {
  Result<void> answer = Error(code::k_storage, "the store was closed before it was on disk");
  bool told = false;
  ask([&](Result<void> result) {
    answer = std::move(result);
    told = true;
    loop_->stop();
  });
  if (!told) loop_->run();
  close();
  return answer;
}

bool LocalSession::wait() {
  waits_ = true;
  if (open_ > 0 && !place_.memory) serve();
  if (open_ > 0) loop_->run();
  if (open_ > 0) look_at_rest();
  close();
  if (!left_) tell_of_others();
  return !left_;
}

// Other processes may ask for something as long as this one has something to do.
void LocalSession::serve() {
  auto count = [this](int change) {
    open_ += static_cast<size_t>(change);
    if (open_ == 0) loop_->stop();
  };
  server_ = OwnerServer::open(*loop_, owner_socket_of(place_.path), *engine_, count);
}

// Runs that others began (start with detached = true) and that are not over when those that were asked for are.
void LocalSession::tell_of_others() {
  if (options_.quiet || place_.memory) return;
  for (const auto& [id, seen] : seen_) {
    auto is_asked_for = [&id = id](const Outcome& outcome) { return outcome.result.run == id; };
    if (seen.over || std::any_of(outcomes_.begin(), outcomes_.end(), is_asked_for)) continue;
    print_err("run " + printable(id) + ", which was begun on the way, is not over; it goes on with\n  " +
              command(options_, "resume", id) + "\n");
  }
}

// Runs that were left: as they stand on disk.
void LocalSession::look_at_rest() {
  std::unique_ptr<store::StoreReader> reader = store_->reader();
  for (Outcome& outcome : outcomes_) {
    if (outcome.over || outcome.result.run.empty()) continue;
    Result<std::optional<RunRow>> row = reader->run(outcome.result.run);
    if (row.ok() && row->has_value()) outcome.result = result_of(**row);
    outcome.result.existed = false;
  }
}

// The engine first: it ends what its effects have begun. The loop is last: everything has handles on it.
void LocalSession::close() {
  if (progress_ != nullptr) progress_->close();
  server_.reset();
  engine_.reset();
  progress_.reset();
  if (store_ != nullptr) store_->close();
  store_.reset();
  host_.reset();
}

void LocalSession::started(const RunRow& row, bool resumed) {
  auto [seen, fresh] = seen_.try_emplace(row.id);
  seen->second.over = false;
  if (!fresh) return;  // it slept and was read again: nobody needs to know
  if (!resumed)
    for (uint64_t seq = 1; seq <= row.last_seq; ++seq) crash_point_.committed(seq);   // they came in one commit
  seen->second = {row.last_seq, row.updated_us};
  if (progress_ == nullptr) return;
  std::vector<journal::Record> past;
  if (resumed && progress_->wants_past()) {
    Result<std::vector<journal::Record>> records = store_->reader()->records(row.no, 1, 0);
    if (records.ok()) past = journal::living(std::move(*records));
  }
  progress_->started(row, resumed, past);
}

void LocalSession::committed(const RunRow& row, const journal::Record& record) {
  crash_point_.committed(record.seq);
  Seen& seen = seen_[row.id];
  seen = {record.seq, record.at_us};
  if (progress_ != nullptr) progress_->committed(row, record);
  if (server_ != nullptr) server_->committed(row, record);
}

void LocalSession::log(const RunRow& row, int64_t at_us, const char* level, std::string_view text, std::string_view fields) {
  if (!row.id.empty()) run_log_.write(row.id, at_us, level, text, fields);   // a hook file that is loaded is of no run
  if (progress_ != nullptr) progress_->log(at_us, level, text);
  if (server_ != nullptr) server_->log(row, at_us, level, text);
}

void LocalSession::ended(const RunRow& row, const flow::Ending& ending) {
  run_log_.close(row.id);
  seen_[row.id].over = true;
  if (progress_ != nullptr) progress_->ended(row, ending);
}

}  // namespace perilune::cli
