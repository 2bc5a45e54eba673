// See hook_host.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/hook_host.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"
#include "runtime/engine/modules.hpp"
#include "runtime/flow/durable.hpp"
#include "runtime/flow/step.hpp"
#include "runtime/store/memory_store.hpp"

namespace perilune::engine {

namespace {

constexpr const char* k_load_refusal = "a hook file registers its hooks when it is loaded, and does nothing that waits";
constexpr const char* k_call_refusal =
    "what a hook file does is not recorded: only effects, log, parallel, race, map, sleep and plain Lua may stand in it";

// What the main task waits for: nothing.
class Forever final : public flow::Durable {
 public:
  explicit Forever(flow::Execution& execution) : Durable(execution, "hooks", 0) {}
  const char* call() const override { return "hooks"; }
  bool accepts(journal::Kind) const override { return false; }

 private:
  void start() override { execution_.hold(*this); }
  void teardown(const task::ErrorRef&) override {}
};

class MainTask final : public task::Coroutine {
 public:
  MainTask(flow::Execution& execution, task::Task*& place) : execution_(execution), forever_(execution), place_(place) {}
  State resume(task::Task& task) override {
    place_ = &task;
    execution_.begin(forever_, task);
    return State::suspended;
  }
  Error take_error() override { return {}; }
  Result<std::string> encode_result() override { return std::string("null"); }

 private:
  flow::Execution& execution_;
  Forever forever_;
  task::Task*& place_;
};

// What the registry calls.
class FileHook final : public hooks::Hook {
 public:
  FileHook(HookHost& host, std::weak_ptr<bool> there, int function)
      : host_(host), there_(std::move(there)), function_(function) {}
  void call(std::shared_ptr<const hooks::Event> event, Done done) override {
    if (!there_.expired()) host_.call(function_, std::move(event), std::move(done));
  }

 private:
  HookHost& host_;
  std::weak_ptr<bool> there_;
  int function_;
};

}  // namespace

// One call, and the scope of its task.
class HookHost::Call final : public task::Scope {
 public:
  // Told how it ended: with a failure, or with what the code gives.
  using Ended = std::function<void(const Error* failure, task::Coroutine* code)>;
  Call(HookHost& host, Ended ended, std::shared_ptr<const hooks::RunFacts> run = nullptr)
      : host_(host), ended_(std::move(ended)), run_(std::move(run)) {
    context_.step = host.source_.name;
    context_.refusal = k_call_refusal;
    int64_t now_us = host.place_.loop->clock().wall_us();
    context_.random = Random(hash64(new_uuid_v7(now_us)));
    context_.key = [now_us, key = std::string()]() mutable {
      if (key.empty()) key = new_uuid_v7(now_us);
      return key;
    };
    context_.request_key = [now_us] { return new_uuid_v7(now_us); };
    context_.heartbeat = [](std::string) {};
  }
  ~Call() override { host_.place_.loop->stop_timer(timer_); }

  task::AttemptContext& context() { return context_; }
  void limit(task::Task& task, int64_t us) {
    timer_ = host_.place_.loop->start_timer(us, [this, &task, us] {
      timer_ = 0;
      auto reason = std::make_shared<const Error>(code::k_timeout, "the hook has not ended within " + format_duration(us));
      host_.life_.execution->scheduler().cancel(task, reason);
      host_.ask_turn();
    });
  }
  void child_ended(task::Task& task) override {
    std::unique_ptr<Call> self = host_.take(*this);   // it goes at the end of this function
    Ended tell = std::move(ended_);
    tell(task.failed ? task.error.get() : nullptr, task.coroutine.get());
  }
  const hooks::RunFacts* run() const { return run_.get(); }
  Ended take_ended() { return std::move(ended_); }

 private:
  HookHost& host_;
  Ended ended_;
  std::shared_ptr<const hooks::RunFacts> run_;
  task::AttemptContext context_;
  loop::TimerId timer_ = 0;
};

HookHost::HookHost(Place place, HookSource source, Settings settings)
    : place_(std::move(place)), source_(std::move(source)), settings_(std::move(settings)) {
  settings_.cpu_us = std::min(settings_.cpu_us, settings_.hook_timeout_us);
  facts_.cwd = source_.cwd;
  facts_.directory = source_.directory;
  facts_.file = source_.name;
  row_.id = row_.workflow = source_.name;
  row_.status = store::Status::running;
}

HookHost::~HookHost() {
  close(false);
  *gone_ = true;
}

// The tasks go before the execution, the execution before the state.
void HookHost::close(bool by_force) {
  for (hooks::Registry::Id id : std::exchange(added_, {})) place_.registry->remove(id);
  calls_.clear();
  main_ = nullptr;
  if (by_force) retired_.push_back(std::move(life_));
  life_ = {};
}

void HookHost::retire_oldest() {
  ++to_go_;
  place_.ask_turn();
}

void HookHost::log(const char* level, std::string_view text, std::string_view fields) {
  const task::Task* running = life_.execution->scheduler().running();
  for (const auto& call : calls_)
    if (running != nullptr && running->attempt == &call->context()) return place_.log(call->run(), level, text, fields);
  place_.log(nullptr, level, text, fields);
}

void HookHost::make_execution() {
  life_.store = store::make_memory_store();
  flow::Execution::Options options;
  options.loop = place_.loop;
  options.store = life_.store.get();
  options.listener = this;
  options.row = row_;
  life_.execution = std::make_unique<flow::Execution>(std::move(options));
}

Result<void> HookHost::open() {
  make_execution();
  Result<std::unique_ptr<Script>> script = place_.scripts->open(make_bundle(source_.name, source_.text, {}), row_.workflow, *this);
  if (!script.ok()) return script.error();
  life_.script = std::move(*script);
  flow::Execution& execution = *life_.execution;
  execution.start(std::make_unique<MainTask>(execution, main_));
  execution.turn();
  Result<std::unique_ptr<task::Coroutine>> file = life_.script->main();
  if (!file.ok()) return file.error();
  auto loaded = std::make_shared<std::unique_ptr<Result<void>>>();
  auto call = std::make_unique<Call>(*this, [loaded](const Error* failure, task::Coroutine*) {
    *loaded = std::make_unique<Result<void>>(failure == nullptr ? Result<void>() : Result<void>(*failure));
  });
  call->context().effects_allowed = false;
  call->context().refusal = k_load_refusal;
  begin(std::move(call), std::move(*file));
  execution.turn();
  if (life_.script->killed() != nullptr) return *life_.script->killed();
  return *loaded == nullptr ? Result<void>(Error(code::k_usage, source_.name + ": " + k_load_refusal)) : **loaded;
}

void HookHost::begin(std::unique_ptr<Call> call, std::unique_ptr<task::Coroutine> coroutine) {
  Call& begun = *call;
  calls_.push_back(std::move(call));
  task::Task& task = life_.execution->scheduler().spawn_attempt(*main_, begun, std::move(coroutine), begun.context());
  begun.limit(task, settings_.hook_timeout_us);
}

std::unique_ptr<HookHost::Call> HookHost::take(Call& call) {
  auto found = std::find_if(calls_.begin(), calls_.end(), [&](const auto& other) { return other.get() == &call; });
  std::unique_ptr<Call> taken = std::move(*found);
  calls_.erase(found);
  return taken;
}

void HookHost::call(int function, std::shared_ptr<const hooks::Event> event, hooks::Hook::Done done) {
  hooks::Point point = event->point;
  auto ended = [point, done = std::move(done)](const Error* failure, task::Coroutine* code) {
    if (failure != nullptr) return done(*failure);
    Result<std::string> reply = code->encode_result();
    if (!reply.ok()) return done(reply.error());
    if (*reply == "null") return done(hooks::Decision{});
    if (point == hooks::Point::own)
      return done(Error(code::k_usage, "an event of scripts takes no result: a hook there only sees what has happened"));
    done(hooks::read_reply(point, *reply));
  };
  if (life_.execution == nullptr) {
    Error error(code::k_usage, source_.name + " could not be loaded again after it had failed");
    return ended(&error, nullptr);
  }
  auto run = event->run;
  auto coroutine = life_.script->hook(function, std::move(event));
  begin(std::make_unique<Call>(*this, std::move(ended), std::move(run)), std::move(coroutine));
  place_.ask_turn();
}

void HookHost::turn() {
  retired_.erase(retired_.begin(), retired_.begin() + static_cast<ptrdiff_t>(std::exchange(to_go_, 0)));
  if (life_.execution == nullptr) return;
  life_.execution->turn();
  if (life_.execution->unfinished_turn()) place_.ask_turn();
  if (life_.script->killed() == nullptr) return;
  Error error = *life_.script->killed();
  place_.log(nullptr, "error", source_.name + " has failed and is loaded again: " + one_line(error), {});
  std::vector<Call::Ended> untold;
  for (auto& call : calls_) untold.push_back(call->take_ended());
  close(true);
  if (Result<void> opened = open(); !opened.ok()) {
    place_.log(nullptr, "error", source_.name + " can't be loaded again: " + one_line(opened.error()), {});
    close(life_.script != nullptr && life_.script->killed() != nullptr);
  }
  for (auto& ended : untold) ended(&error, nullptr);
}

Result<uint64_t> HookHost::add(hooks::Listening listening, int function) {
  listening.by = source_.name;
  auto id = place_.registry->add(std::move(listening), std::make_unique<FileHook>(*this, gone_, function));
  if (id.ok()) added_.push_back(*id);
  return id;
}

Result<std::string> HookHost::find_module(const std::string& name) {
  return module_text(*place_.builtin_modules, source_.directory, name);
}

std::unique_ptr<flow::StepCode> HookHost::postflight() { return nullptr; }

// Durable calls are refused where scripts make them: nobody comes here.
void HookHost::send_signal(const std::string&, const std::string&, const std::string&, const std::string&,
                           std::function<void(Result<void>)>) {
  std::abort();
}
flow::ChildRuns& HookHost::children() { std::abort(); }
flow::SharedLocks& HookHost::shared_locks() { std::abort(); }

}  // namespace perilune::engine
