// Lives of a run in virtual time; see harness.hpp.
// SPDX-License-Identifier: MIT
#include "tests/unit/engine/harness.hpp"

#include <nlohmann/json.hpp>

#include "bindings/api/api.hpp"
#include "bindings/api/effect_binding.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/host.hpp"
#include "bindings/lua/sandbox.hpp"

namespace perilune::engine {

namespace {

std::vector<std::string>* effects_now = nullptr;  // of the Place that lives
const std::map<std::string, std::string>* outside_now = nullptr;

int l_effect(lua_State* L) {
  const char* text = luaL_checkstring(L, 1);
  [&]() noexcept { effects_now->emplace_back(text); }();
  return 0;
}

class Work final : public effects::Effect {
 public:
  Work(loop::Loop& loop, std::string name, double seconds, effects::Done<std::string> done)
      : loop_(loop), name_(std::move(name)), done_(std::move(done)) {
    effects_now->push_back(name_);
    timer_ = loop_.start_timer(static_cast<int64_t>(seconds * 1e6), [this] {
      timer_ = 0;
      if (name_.starts_with("fail: "))
        finish(Error(code::k_io, name_.substr(6)));
      else
        finish(nlohmann::json(name_).dump());
    });
  }
  ~Work() override { loop_.stop_timer(timer_); }
  void cancel() override {
    loop_.stop_timer(timer_);
    effects_now->push_back("cancelled " + name_);
    timer_ = loop_.start_timer(1000, [this] { finish(Error(code::k_cancelled, "cancelled")); });
  }

 private:
  void finish(Result<std::string> result) {
    auto done = std::move(done_);
    done(std::move(result));  // destroys this
  }
  loop::Loop& loop_;
  std::string name_;
  effects::Done<std::string> done_;
  loop::TimerId timer_ = 0;
};

Result<flow::EffectStep::Start> prepare_work(const std::string& arguments_json, RunContext& context) {
  nlohmann::json arguments = nlohmann::json::parse(arguments_json, nullptr, false);
  loop::Loop& loop = context.execution().loop();
  return flow::EffectStep::Start([&loop, arguments](
                                     const task::AttemptContext&,
                                     effects::Done<std::string> done) -> std::unique_ptr<effects::Effect> {
    return std::make_unique<Work>(loop, arguments[0].get<std::string>(), arguments[1].get<double>(), std::move(done));
  });
}

constexpr api::EffectKind k_work{"work", prepare_work};

int l_work(lua_State* L) { return api::call_effect(L, k_work); }
int l_outside(lua_State* L) {
  auto found = outside_now->find(luaL_checkstring(L, 1));
  if (found == outside_now->end()) return 0;
  lua_pushlstring(L, found->second.data(), found->second.size());
  return 1;
}

int open_effect(lua_State* L) { return lua_pushcfunction(L, l_effect), 1; }
int open_outside(lua_State* L) { return lua_pushcfunction(L, l_outside), 1; }
int open_work(lua_State* L) { return lua_pushcfunction(L, l_work), 1; }

void open_api(lua_State* L) {
  static constexpr lua::LazyGlobal extra[] = {{"effect", open_effect}, {"work", open_work}, {"outside", open_outside}};
  api::open(L);
  lua::add_lazy_globals(L, extra, std::size(extra));
}

void open_hook_api(lua_State* L) {
  static constexpr lua::LazyGlobal extra[] = {{"effect", open_effect}, {"work", open_work}, {"outside", open_outside}};
  api::open_for_hooks(L);
  lua::add_lazy_globals(L, extra, std::size(extra));
}

Life begin_life(Engine& engine, Lab& lab, bool resume, loop::SimLoop& loop) {
  Life life;
  auto started = [&life](Result<store::RunRow> row) {
    if (row.ok()) return;
    life.refused = true;
    life.error = row.error();
  };
  auto ended = [&life](const store::RunRow&, const flow::Ending& ending) {
    life.ended = true;
    life.status = ending.status;
    life.output = ending.output;
    if (ending.error) life.error = *ending.error;
  };
  if (resume) {
    engine.resume(lab.id, started, ended);
  } else {
    StartRequest request;
    request.file = lab.file;
    request.text = lab.script;
    request.directory = lab.directory;
    request.workflow = lab.workflow;
    request.input = lab.input;
    request.id = lab.id;
    engine.start(std::move(request), started, ended);
  }
  loop.run();
  return life;
}

}  // namespace

Place::Place(Options options) : loop_(options.wall_us) {
  effects_now = &effects_;
  outside_now = options.outside;
  auto left = std::make_shared<uint64_t>(options.records);
  store::MemoryOptions memory;
  memory.disk = options.disk;
  memory.commit_delay_us = [] { return 1000; };
  memory.allow = [this, left](const std::string&, const journal::Record&) {
    if (*left == 0) return loop_.stop(), false;  // the process is gone
    --*left;
    return true;
  };
  store_ = options.make_store ? options.make_store(loop_) : store::make_memory_store(std::move(memory));
  reader_ = store_->reader();
  host_ = lua::make_lua_host(open_api);
  Engine::Options engine;
  engine.loop = &loop_;
  engine.store = store_.get();
  engine.host = host_.get();
  engine.observer = this;
  engine.settings = options.settings;
  engine.builtin_modules = lua::stdlib_modules();
  engine.builtin_modules.merge(options.builtin_modules);
  engine.snapshot_due = std::move(options.snapshot_due);
  hook_scripts_ = lua::make_lua_host(open_hook_api);
  engine.hook_scripts = hook_scripts_.get();
  engine_ = std::make_unique<Engine>(std::move(engine));
  for (size_t i = 0; i < options.hooks.size(); ++i) {
    Result<void> added = engine_->add_hook_file({"hooks-" + std::to_string(i + 1) + ".lua", options.hooks[i], "", ""});
    if (!added.ok()) logs_.push_back("hook file: " + added.error().message);
  }
}

Place::~Place() {
  engine_.reset();
  effects_now = nullptr;
}

void Place::log(const store::RunRow&, int64_t, const char* level, std::string_view text, std::string_view fields) {
  logs_.push_back(std::string(level) + ": " + std::string(text) + (fields.empty() ? "" : " ") + std::string(fields));
}

Life Lab::live(uint64_t records) {
  bool resume = !journal().empty();
  Place place({disk_, records, wall_us_, settings, builtin_modules, snapshot_due, &outside, {}, hooks});
  Life life = begin_life(place.engine(), *this, resume, place.loop());
  life.elapsed_us = place.loop().clock().wall_us() - wall_us_;
  wall_us_ += life.elapsed_us;
  life.logs = place.logs();
  life.effects = place.effects();
  ledger_.insert(ledger_.end(), life.effects.begin(), life.effects.end());
  return life;
}

Result<store::RunRow> Lab::operate(const Order& order, uint64_t records) {
  Result<store::RunRow> answer = Error(code::k_internal, "cut");
  Place place({disk_, records, wall_us_, settings, builtin_modules, snapshot_due});
  place.engine().operate(id, order, [&](Result<store::RunRow> row) { answer = std::move(row); });
  place.loop().run();
  return answer;
}

Result<store::RunRow> Lab::fork(const ForkOrder& order) {
  Result<store::RunRow> answer = Error(code::k_internal, "cut");
  Place place({disk_, k_all_records, wall_us_, settings, builtin_modules, snapshot_due});
  place.engine().fork(id, order, [&](Result<store::RunRow> row) { answer = std::move(row); });
  place.loop().run();
  return answer;
}

std::vector<journal::Record> Lab::living() { return journal::living(journal()); }

store::RunRow Lab::row() {
  auto store = store::make_memory_store({disk_, {}, {}});
  auto row = store->reader()->run(id);
  return row.ok() && row->has_value() ? **row : store::RunRow{};
}

std::vector<journal::Record> Lab::journal() {
  int64_t no = row().no;
  if (no == 0) return {};
  auto store = store::make_memory_store({disk_, {}, {}});
  auto records = store->reader()->records(no, 1, 0);
  return records.ok() ? *records : std::vector<journal::Record>{};
}

std::vector<std::string> Lab::recorded(const std::vector<journal::Kind>& kinds) {
  std::vector<std::string> names;
  for (const journal::Record& record : journal())
    for (journal::Kind kind : kinds)
      if (record.kind == kind) names.push_back(std::string(kind_name(kind)) + " " + record.name);
  return names;
}

Life run(const std::string& script, const std::string& input) {
  Lab lab(script);
  lab.input = input;
  return lab.live();
}

std::string result(const Life& life) {
  if (life.refused) return "refused " + life.error.code + ": " + life.error.message;
  if (!life.ended) return "cut";
  if (life.status == store::Status::completed) return life.output;
  return std::string(store::status_name(life.status)) + " " + life.error.code + ": " + life.error.message;
}

std::string result(const std::string& script, const std::string& input) { return result(run(script, input)); }

}  // namespace perilune::engine
