// Starting, resuming, evicting and waking runs; see engine.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/ids.hpp"
#include "runtime/engine/input.hpp"
#include "runtime/engine/modules.hpp"
#include "runtime/engine/run.hpp"
#include "runtime/hooks/event_bus.hpp"
#include "runtime/flow/gate.hpp"

namespace perilune::engine {

using store::RunRow;
using store::Status;

namespace {

// Modules for inspection: what is found is kept for the bundle, also what the stdlib has: a later version of it serves new
// runs.
class CollectingSource final : public ModuleSource {
 public:
  CollectingSource(const std::map<std::string, std::string>& builtin, std::string directory)
      : builtin_(builtin), directory_(std::move(directory)) {}
  Result<std::string> find_module(const std::string& name) override {
    Result<std::string> text = module_text(builtin_, directory_, name);
    if (text.ok()) found_[name] = *text;
    return text;
  }
  std::map<std::string, std::string> take() { return std::move(found_); }

 private:
  const std::map<std::string, std::string>& builtin_;
  std::string directory_;
  std::map<std::string, std::string> found_;
};

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// The modules on disk are those of the bundle: new code serves new runs.
bool is_up_to_date(const Bundle& bundle, const std::map<std::string, std::string>& builtin, const std::string& directory) {
  for (const auto& [name, text] : bundle.modules) {
    Result<std::string> now = module_text(builtin, directory, name);
    if (!now.ok() || *now != text) return false;
  }
  return true;
}

template <class... Arguments>
std::function<void(Arguments...)> one_then_other(std::function<void(Arguments...)> one,
                                                 std::function<void(Arguments...)> other) {
  if (!one) return other;
  if (!other) return one;
  return [one = std::move(one), other = std::move(other)](Arguments... arguments) {
    one(arguments...);
    other(arguments...);
  };
}

Result<Definition> choose(const std::vector<Definition>& definitions, const std::string& name, const std::string& file) {
  if (name.empty() && definitions.size() == 1) return definitions.front();
  size_t slash = file.rfind('/');
  std::string stem = file.substr(slash == std::string::npos ? 0 : slash + 1);
  stem = stem.substr(0, stem.rfind('.'));
  std::string names;
  for (const Definition& definition : definitions) {
    if (definition.name == (name.empty() ? stem : name)) return definition;
    names += (names.empty() ? "" : ", ") + definition.name;
  }
  if (name.empty())
    return Error(code::k_usage, file + " defines several workflows: " + names + "; say which with --workflow NAME");
  return Error(code::k_not_found, file + " defines no workflow '" + name + "': it defines " + names);
}

}  // namespace

Engine::Engine(Options options)
    : options_(std::move(options)), effects_(*options_.loop, options_.stand_in),
      locks_([this]() -> store::StoreReader& { return reader(); },
             [this](const std::string& run, const std::string& lock, const std::string& holder) {
               tell_held_up(run, lock, holder);
             }),
      hooks_([this](const hooks::RunFacts& run, const std::string& text) { log_of(run, "error", text, {}); }) {
  options_.loop->set_turn([this] { turn(); });
}

Engine::~Engine() {
  if (events_ != nullptr) options_.store->set_tap(nullptr);
  *closing_ = true;
  for (auto& [id, sleeper] : sleeping_) options_.loop->stop_timer(sleeper.timer);
  runs_.clear();
  hook_hosts_.clear();
  options_.loop->set_turn([] {});
}

store::StoreReader& Engine::reader() {
  if (reader_ == nullptr) reader_ = options_.store->reader();
  return *reader_;
}

Result<Engine::Inspection> Engine::inspect(const StartRequest& request) {
  if (request.pinned != nullptr) return inspect_pinned(request.pinned);
  std::string key = request.file + '\0' + request.directory + '\0' + request.text;
  auto found = inspected_.find(key);
  if (found != inspected_.end() && is_up_to_date(*found->second.bundle, options_.builtin_modules, request.directory))
    return Inspection{found->second.definitions, found->second.bundle};
  CollectingSource modules(options_.builtin_modules, request.directory);
  auto definitions = options_.host->inspect(request.file, request.text, modules, options_.settings);
  if (!definitions.ok()) return definitions.error();
  Inspection inspection{std::move(*definitions), make_bundle(request.file, request.text, modules.take())};
  inspected_[key] = {inspection.definitions, inspection.bundle};
  return inspection;
}

void Engine::start(StartRequest request, Started started, Ended ended) {
  if (!request.id.empty() && !is_run_id(request.id))
    return started(Error(code::k_usage, "'" + request.id.substr(0, 60) + "' can't be the id of a run: it has " + k_run_id_rule));
  Result<Inspection> inspection = inspect(request);
  if (!inspection.ok()) return started(inspection.error());
  Result<Definition> definition = choose(inspection->definitions, request.workflow, request.file);
  if (!definition.ok()) return started(definition.error());
  if (definition->input != nullptr) {
    Result<std::string> input = definition->input->check(request.input, "input");
    if (!input.ok()) return started(input.error());
    request.input = std::move(*input);
  } else {
    Result<std::string> input = canonical_input(request.input);
    if (!input.ok()) return started(input.error());
    request.input = std::move(*input);
  }
  bool stands = !request.id.empty() && !definition->needs.empty() && run_stands(request.id);   // then nothing begins
  if (!stands) {
    Result<void> met = check_requirements(definition->needs, definition->name, request.cwd, options_.stand_in == nullptr);
    if (!met.ok()) return started(met.error());
  }
  BundleRef bundle = inspection->bundle;
  if (bundles_.count(bundle->hash) != 0)
    return create_run(std::move(request), std::move(*definition), bundle, std::move(started), std::move(ended));
  bundles_[bundle->hash] = bundle;
  options_.store->put_bundle(bundle->hash, bundle->content, *options_.loop, [](Result<void>) {});   // same commit as the run
  create_run(std::move(request), std::move(*definition), bundle, std::move(started), std::move(ended));
}

bool Engine::run_stands(const std::string& id) {
  Result<std::optional<RunRow>> row = reader().run(id);
  return row.ok() && row->has_value();
}

void Engine::create_run(StartRequest request, Definition definition, BundleRef bundle, Started started, Ended ended) {
  StartFacts facts;
  facts.cwd = request.cwd;
  facts.directory = request.directory;
  facts.file = request.file;
  facts.timeout_us = definition.timeout_us > 0 ? definition.timeout_us : options_.settings.timeout_us;
  facts.pause_on_error = definition.pause_on_error;
  facts.preflight_at_top = definition.preflight_at_top;

  store::NewRun run;
  int64_t now_us = options_.loop->clock().wall_us();
  facts.started_us = now_us;
  run.row.id = request.id.empty() ? new_uuid_v7(now_us) : request.id;
  run.row.workflow = definition.name;
  run.row.version = definition.version;
  run.row.bundle = bundle->hash;
  run.row.session = request.session;
  run.row.parent = request.parent;
  run.row.input = request.input;
  run.row.status = Status::running;
  run.row.created_us = run.row.updated_us = now_us;
  journal::Record record;
  record.seq = 1;
  record.kind = journal::Kind::run_started;
  record.name = definition.name;
  record.at_us = now_us;
  record.data = start_data(facts, run.row);
  run.records.push_back(record);
  auto held = [&run, now_us](const char* gate) {
    run.records.push_back(flow::run_gate(gate, nullptr));
    run.records.back().seq = run.records.size();
    run.records.back().at_us = now_us;
  };
  if (!definition.needs.empty()) held(flow::k_gate_requires);
  if (definition.input != nullptr) held(flow::k_gate_input);
  // What is replayed must be what was live: a path that is no UTF-8 is mended in the record.
  if (!is_ascii(facts.cwd + facts.directory + facts.file)) facts = read_start_data(record);

  std::string input = run.row.input;
  auto done = [this, records = run.records, facts, bundle, input, workflow = definition.name, started = std::move(started),
               ended = std::move(ended)](Result<store::Created> created) mutable {
    if (!created.ok()) return started(created.error());
    RunRow& row = created->row;
    if (!created->existed)
      return open_run(std::move(row), std::move(facts), std::move(records), bundle, false, std::move(started), std::move(ended));
    if (row.input != input || row.workflow != workflow)
      return started(Error(code::k_conflict, "run '" + row.id + "' exists already with another workflow or input"));
    if (!store::is_final(row.status)) return resume(row.id, std::move(started), std::move(ended));
    started(row);
    if (!ended) return;
    flow::Ending ending;
    ending.status = row.status;
    ending.output = row.output;
    if (!row.error.empty()) ending.error = std::make_shared<const Error>(error_from_json_text(row.error));
    ended(row, ending);
  };
  options_.store->create(std::move(run), *options_.loop, std::move(done));
  options_.loop->ask_turn();
}

void Engine::resume(const std::string& id, Started started, Ended ended) {
  if (auto live = runs_.find(id); live != runs_.end()) {
    live->second->ended_ = one_then_other(std::move(live->second->ended_), std::move(ended));
    return started(live->second->row());
  }
  if (auto sleeper = sleeping_.find(id); sleeper != sleeping_.end()) {   // it wakes when it is due
    sleeper->second.ended = one_then_other(std::move(sleeper->second.ended), std::move(ended));
    return started(sleeper->second.row);
  }
  if (auto storing = storing_.find(id); storing != storing_.end()) {   // one claim at a time
    storing->second.push_back([this, id, started, ended] { resume(id, started, ended); });
    return;
  }
  if (auto claiming = claiming_.find(id); claiming != claiming_.end()) {
    claiming->second.started = one_then_other(std::move(claiming->second.started), std::move(started));
    claiming->second.ended = one_then_other(std::move(claiming->second.ended), std::move(ended));
    return;
  }
  Result<std::optional<RunRow>> row = reader().run(id);
  if (!row.ok()) return started(row.error());
  if (!row->has_value()) return started(Error(code::k_not_found, "no run '" + id + "' in this store"));
  if (store::is_final((*row)->status) || (*row)->status == Status::diverged)
    return started(Error(code::k_usage, "run '" + id + "' is " + std::string(store::status_name((*row)->status)) +
                                            " already: there is nothing to resume"));
  claiming_[id] = {std::move(started), std::move(ended)};
  options_.store->claim(id, *options_.loop, [this, id](Result<RunRow> claimed) {
    Claiming waiting = std::move(claiming_.extract(id).mapped());
    if (!claimed.ok()) return waiting.started(claimed.error());
    load(std::move(*claimed), std::move(waiting.started), std::move(waiting.ended));
  });
  options_.loop->ask_turn();
}

// Reads the journal and the code of a claimed run and lets it go on.
void Engine::load(RunRow row, Started started, Ended ended) {
  Result<std::vector<journal::Record>> records = store::sound_records(row, reader().journal(row));
  if (!records.ok()) return refuse_damaged(row, records.error(), started);
  Result<BundleRef> code = bundle(row.bundle);
  if (!code.ok()) return refuse_damaged(row, code.error(), started);
  if (row.status == Status::quarantined) {   // what was wrong is no more
    set_aside(row, Status::running, "");
    row.status = Status::running;
    row.error.clear();
  }
  StartFacts facts = read_start_data(records->front());
  open_run(std::move(row), std::move(facts), std::move(*records), *code, true, std::move(started), std::move(ended));
}

// A run that can't be trusted is set aside, and the others go on; any other trouble is the store's.
void Engine::refuse_damaged(const RunRow& row, const Error& error, const Started& started) {
  if (error.code == code::k_damaged) set_aside(row, Status::quarantined, to_json_text(error));
  started(error);
}

// No record is written: a journal that is damaged is left as it is.
void Engine::set_aside(const RunRow& row, Status status, std::string error) {
  store::Append append;
  append.run = row.no;
  append.epoch = row.epoch;
  append.patch.status = status;
  append.patch.wake_us = 0;
  append.patch.error = std::move(error);
  options_.store->append(std::move(append), *options_.loop, [](const Result<void>&) {});
  options_.loop->ask_turn();
}

Result<BundleRef> Engine::bundle(const std::string& hash) {
  if (auto found = bundles_.find(hash); found != bundles_.end()) return found->second;
  auto content = reader().bundle(hash);
  if (!content.ok()) return content.error();
  if (!content->has_value()) return Error(code::k_damaged, "the code " + hash + " of the run is not in the store");
  Result<BundleRef> bundle = read_bundle(hash, std::move(**content));
  if (bundle.ok()) bundles_[hash] = *bundle;
  return bundle;
}

void Engine::open_run(RunRow row, StartFacts facts, std::vector<journal::Record> records, BundleRef bundle, bool resumed,
                      Started started, Ended ended) {
  std::string id = row.id;
  auto run = std::make_unique<Run>(*this, std::move(row), std::move(facts), std::move(records), std::move(bundle),
                                   std::move(ended));
  Run& opened = *run;
  runs_[id] = std::move(run);
  Result<void> result = opened.open();
  if (!result.ok()) {
    runs_.erase(id);
    return started(result.error());
  }
  if (options_.observer != nullptr) options_.observer->started(opened.row(), resumed);
  tell_run(resumed ? hooks::Point::run_resume : hooks::Point::run_start, opened.row(), {});
  started(opened.row());
}

void Engine::ask_turn(Run& run) {
  if (run.in_turn_queue) return;
  run.in_turn_queue = true;
  turns_.push_back(&run);
  options_.loop->ask_turn();
}

// One turn: every run that asked goes on until it waits, then what they want to commit goes over in one piece.
void Engine::turn() {
  std::vector<Run*> turns;
  turns.swap(turns_);
  for (Run* run : turns) {
    run->turn();                   // what it asks for meanwhile it has had
    run->in_turn_queue = false;
    if (run->execution_->unfinished_turn()) ask_turn(*run);
    if (run->over()) {
      end_run(*run);
    } else if (may_leave(*run)) {
      turns_.erase(std::remove(turns_.begin(), turns_.end(), run), turns_.end());
      evict(*run);
    }
  }
  if (std::exchange(hooks_asked_, false))
    for (auto& host : hook_hosts_) host->turn();
  locks_.refuse_circles();
  options_.store->flush();
}

void Engine::end_run(Run& run) {
  std::string id = run.row().id;
  auto node = runs_.extract(id);
  turns_.erase(std::remove(turns_.begin(), turns_.end(), &run), turns_.end());
  Ended ended = std::move(run.ended_);
  flow::Ending ending = std::move(run.ending_);
  RunRow row = run.row();
  row.status = ending.status;
  bool by_force = run.aborted_;
  std::vector<std::string> leaving = std::move(run.leaving_);
  if (ending.again) release_since(run);
  node = {};   // the run and its state go before anybody is told
  if (ending.again) {
    sleeping_[id] = {std::move(row), std::move(ended), 0};
    return wake_after(id, leaving);
  }
  if (by_force) cancel_children_of(id);
  if (store::is_final(ending.status)) locks_.run_ended(id);
  tell_end(row, ending);
  hooks_.when_told(id, [this, row = std::move(row), ended = std::move(ended), ending = std::move(ending)] {
    if (options_.observer != nullptr) options_.observer->ended(row, ending);
    if (ended) ended(row, ending);
    tell_watchers(row.id, ending);
  });
}

// A run that waits for a signal alone, for children that have left memory, or sleeps for long, leaves memory.
bool Engine::may_leave(const Run& run) const {
  if (!run.execution_->evictable()) return false;
  for (const std::string& child : run.execution_->awaited())
    if (sleeping_.count(child) == 0) return false;
  int64_t wake_us = run.execution_->next_wake_us();
  return wake_us == 0 || wake_us - options_.loop->clock().wall_us() > options_.settings.evict_after_us;
}

void Engine::evict(Run& run) {
  Sleeper sleeper;
  sleeper.row = run.row();
  sleeper.row.last_seq = run.execution_->last_seq();
  sleeper.ended = std::move(run.ended_);
  std::string id = sleeper.row.id;
  int64_t wake_us = run.execution_->next_wake_us();
  runs_.erase(id);
  if (auto watched = watchers_.find(id); watched != watchers_.end())   // they may leave too now
    for (const Watcher& watcher : watched->second)
      if (auto by = runs_.find(watcher.by); by != runs_.end()) ask_turn(*by->second);
  sleeper.row.input.clear();   // it is in the store: a sleeper is small
  sleeper.row.input.shrink_to_fit();
  sleeper.timer = 0;
  if (wake_us != 0)
    sleeper.timer = options_.loop->start_timer(wake_us - options_.loop->clock().wall_us(), [this, id] { wake(id); });
  sleeping_.emplace(id, std::move(sleeper));
}

void Engine::wake(const std::string& id) {
  auto node = sleeping_.extract(id);
  if (node.empty()) return;
  options_.loop->stop_timer(node.mapped().timer);
  Ended ended = std::move(node.mapped().ended);
  Result<std::optional<RunRow>> row = reader().run(id);   // still ours: no new claim
  if (!row.ok() || !row->has_value()) {
    if (ended) {
      flow::Ending ending;
      ending.status = Status::waiting;
      ending.error = std::make_shared<const Error>(row.ok() ? Error(code::k_damaged, "the run has vanished from the store")
                                                             : row.error());
      ended(node.mapped().row, ending);
    }
    return;
  }
  RunRow shown = **row;
  auto reopened = [shown, ended](Result<RunRow> opened) {
    if (opened.ok() || !ended) return;
    flow::Ending ending;   // the run stands as it is on disk and can be resumed
    ending.status = opened.error().code == code::k_damaged ? Status::quarantined : Status::waiting;
    ending.error = std::make_shared<const Error>(opened.error());
    ended(shown, ending);
  };
  load(std::move(**row), reopened, ended);
}

bool Engine::cancel(const std::string& id, const std::string& by) {
  if (sleeping_.count(id) != 0) wake(id);
  auto found = runs_.find(id);
  if (found == runs_.end()) return false;
  found->second->execution_->request_cancel(Error(code::k_cancelled, "cancelled by " + by), by);
  return true;
}

}  // namespace perilune::engine
