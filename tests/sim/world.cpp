// Lives of a run; see world.hpp.
// SPDX-License-Identifier: MIT
#include "tests/sim/world.hpp"

#include "bindings/api/api.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/host.hpp"
#include "bindings/lua/sandbox.hpp"
#include "runtime/flow/timer.hpp"
#include "runtime/journal/waits.hpp"
#include "runtime/loop/sim_loop.hpp"

namespace perilune::sim {

namespace {

constexpr const char* k_run = "run-1";

// What the script's extra functions write to; one life at a time.
struct Recorder {
  Life* life = nullptr;
  Random random;
};
Recorder recorder;

int l_note(lua_State* L) {
  size_t length = 0;
  const int64_t place = luaL_checkinteger(L, 1);
  const char* text = luaL_checklstring(L, 2, &length);
  [&]() noexcept {
    std::string& seen = recorder.life->trail[place];
    if (seen.empty()) seen.assign(text, length);
    else if (seen != std::string_view(text, length)) seen += " and then " + std::string(text, length);
  }();
  return 0;
}

// The script begins: a new life, or the same one after an eviction.
int l_begun(lua_State*) {
  recorder.life->trail.clear();
  return 0;
}

int l_effect(lua_State* L) {
  const char* text = luaL_checkstring(L, 1);
  [&]() noexcept { recorder.life->effects.emplace_back(text); }();
  return 0;
}

bool begin_lag(lua::LuaScript& script) noexcept {
  auto sleep = std::make_unique<flow::AttemptSleep>(script.execution());
  flow::AttemptSleep& begun = *sleep;
  script.current()->fill({std::move(sleep), lua::push_outcome, LUA_NOREF});
  return begun.begin(script.current()->task(), static_cast<int64_t>(recorder.random.below(20'000'000)));
}

// A step takes some time: another one in each life.
int l_lag(lua_State* L) {
  lua::LuaScript& script = lua::enter(L, "lag", lua::Place::anywhere);
  return lua::await(L, begin_lag(script));
}

int open_begun(lua_State* L) { return lua_pushcfunction(L, l_begun), 1; }
int open_note(lua_State* L) { return lua_pushcfunction(L, l_note), 1; }
int open_effect(lua_State* L) { return lua_pushcfunction(L, l_effect), 1; }
int open_lag(lua_State* L) { return lua_pushcfunction(L, l_lag), 1; }

void open_api(lua_State* L) {
  static constexpr lua::LazyGlobal extra[] = {{"begun", open_begun}, {"note", open_note}, {"effect", open_effect}, {"lag", open_lag}};
  api::open(L);
  lua::add_lazy_globals(L, extra, std::size(extra));
}

// Answers one of the questions that are open now.
void answer_one(engine::Engine& engine, store::Store& store, Random& random, uint64_t life) {
  std::unique_ptr<store::StoreReader> reader = store.reader();
  auto row = reader->run(k_run);
  if (!row.ok() || !row->has_value()) return;
  auto records = reader->records((*row)->no, 1, 0);
  if (!records.ok()) return;
  journal::Waits waits;
  for (const journal::Record& record : *records) waits.apply(record);
  std::vector<uint64_t> questions;
  for (const journal::Wait* wait : waits.open())
    if (wait->what == journal::Wait::For::answer) questions.push_back(wait->seq);
  if (questions.empty()) return;
  engine.answer(k_run, {questions[random.below(questions.size())], std::to_string(1 + random.below(3)), std::to_string(life),
                        [](Result<void>) {}});
}

Life run_once(const std::string& script, const task::Rules& rules, store::MemoryOptions options, uint64_t seed, bool resume,
              int64_t begin_us = 0, const std::string& directory = {}) {
  Life life;
  recorder = {&life, Random(seed)};
  options.allow = [&life, allow = std::move(options.allow)](const std::string& run, const journal::Record& record) {
    if (allow && !allow(run, record)) return false;
    life.state_changes += record.kind == journal::Kind::state_changed;
    return true;
  };
  if (begin_us == 0) begin_us = 1'700'000'000'000'000 + static_cast<int64_t>(seed % 1000) * 1'000'000;
  loop::SimLoop loop(begin_us);
  auto store = store::make_memory_store(std::move(options));
  auto host = lua::make_lua_host(open_api);
  engine::Engine::Options engine_options;
  engine_options.loop = &loop;
  engine_options.store = store.get();
  engine_options.host = host.get();
  engine_options.rules = rules;
  engine_options.builtin_modules = lua::stdlib_modules();
  auto chance = std::make_shared<Random>(seed ^ 0x10095);
  engine_options.snapshot_due = [chance] { return chance->below(3) == 0; };
  engine::Engine engine(std::move(engine_options));
  auto started = [&life](Result<store::RunRow> row) {
    if (row.ok()) return;
    life.ended = true;
    life.ending.status = store::Status::failed;
    life.ending.error = std::make_shared<const Error>(row.error());
  };
  auto ended = [&life](const store::RunRow&, const flow::Ending& ending) {
    life.ended = true;
    life.ending = ending;
  };
  if (resume) {
    engine.resume(k_run, started, ended);
  } else {
    engine::StartRequest request;
    request.file = "program.lua";
    request.text = script;
    request.directory = directory;
    request.id = k_run;
    engine.start(std::move(request), started, ended);
  }
  for (uint64_t i = 0; i < 6; ++i) {   // signals come at any time
    loop.start_timer(static_cast<int64_t>(recorder.random.below(60'000'000)), [&engine, seed, i] {
      engine.signal(k_run, "ping", std::to_string(i), std::to_string(seed) + "-" + std::to_string(i), [](Result<void>) {});
    });
  }
  auto answers = std::make_shared<Random>(seed ^ 0xa5c);
  for (uint64_t i = 0; i < 12; ++i)   // and answers
    loop.start_timer(static_cast<int64_t>(answers->below(60'000'000)),
                     [&engine, &store, answers, seed] { answer_one(engine, *store, *answers, seed); });
  loop.run();
  return life;
}

}  // namespace

Life World::live(uint64_t seed, uint64_t records, int64_t begin_us) {
  auto delays = std::make_shared<Random>(seed ^ 0x5eed);
  auto left = std::make_shared<uint64_t>(records);
  store::MemoryOptions options;
  options.disk = disk_;
  options.commit_delay_us = [delays] { return static_cast<int64_t>(delays->below(3'000)); };
  options.allow = [left, count = snapshots_](const std::string&, const journal::Record& record) {
    if (record.kind == journal::Kind::loop_snapshot) ++*count;
    return *left > 0 ? (--*left, true) : false;
  };
  bool resume = begun_ && !journal().empty();
  begun_ = true;
  return run_once(script_, rules_, std::move(options), seed, resume, begin_us, directory_);
}

std::vector<journal::Record> World::journal() {
  auto store = store::make_memory_store({disk_, {}, {}});
  auto reader = store->reader();
  auto row = reader->run(k_run);
  if (!row.ok() || !row->has_value()) return {};
  auto records = reader->records((*row)->no, 1, 0);
  return records.ok() ? *records : std::vector<journal::Record>{};
}

Life World::replay_finished() {
  std::vector<journal::Record> records = journal();
  while (records.back().kind != journal::Kind::run_done) records.pop_back();
  records.pop_back();
  return replay_copy(std::move(records), script_);
}

Life World::replay_renamed(const std::string& name) {
  std::string script = script_;
  size_t at = script.find("step('" + name + "'");
  if (at == std::string::npos) at = script.find("step, '" + name + "'");
  script.replace(script.find(name, at), name.size(), name + "_renamed");
  return replay_copy(journal(), script);
}

Life World::replay_copy(std::vector<journal::Record> records, const std::string& script) {
  auto bundle = engine::make_bundle("program.lua", script, {});
  store::NewRun copy;
  copy.row.id = k_run;
  copy.row.workflow = "program";
  copy.row.version = 1;
  copy.row.input = "{}";
  copy.row.status = store::Status::running;
  copy.row.bundle = bundle->hash;
  store::Append gaps;   // a journal is written whole, then the gaps are made again
  for (journal::Record& record : records) {
    if (record.seq > copy.records.size() + 1) gaps.forgotten.push_back({copy.records.size() + 1, record.seq - 1});
    while (copy.records.size() + 1 < record.seq) {
      journal::Record gone;
      gone.task = "0";
      gone.seq = copy.records.size() + 1;
      copy.records.push_back(std::move(gone));
    }
    copy.records.push_back(std::move(record));
  }
  auto disk = store::make_memory_disk();
  {
    loop::SimLoop loop;
    auto target = store::make_memory_store({disk, {}, {}});
    target->put_bundle(bundle->hash, bundle->content, loop, [](Result<void>) {});
    target->create(std::move(copy), loop, [](Result<store::Created>) {});
    gaps.run = 1;
    gaps.epoch = 1;
    target->append(std::move(gaps), loop, [](Result<void>) {});
    target->flush();
    loop.run();
  }
  return run_once(script, rules_, {disk, {}, {}}, 77, true);
}

}  // namespace perilune::sim
