// A process that runs workflows: store, loop, script host and engine put together, what it shows and logs on the way,
// and how it stops. The first SIGINT or SIGTERM leaves the runs as they are recorded; a second one ends the process at
// once. Uses engine, lua, api, sqlite_store, progress, run_log. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/cli/config.hpp"
#include "bindings/cli/crash_point.hpp"
#include "bindings/cli/json_view.hpp"
#include "bindings/cli/progress.hpp"
#include "bindings/cli/run_log.hpp"
#include "bindings/cli/verbs.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/operator.hpp"

namespace perilune::cli {

class Session final : public engine::Observer {
 public:
  // Becomes the owner of the store, and makes it where it is missing. Errors: "usage", "owned", "storage", ...
  static Result<std::unique_ptr<Session>> open(const CommonOptions& options);
  ~Session() override;

  // A run that wait() waits for. `then` is called once it goes on.
  void start(engine::StartRequest request);
  void resume(const std::string& id, std::function<void()> then = {});
  // What an operator asks of a run. With `go_on` the run is taken up then, and wait() waits for it.
  void operate(const std::string& id, const engine::Order& order, bool go_on);
  void fork(const std::string& id, const engine::ForkOrder& order);
  bool cancel(const std::string& id, const std::string& by) { return engine_->cancel(id, by); }
  // Gives a run a signal, which is then on disk; the run itself is not taken up.
  Result<void> signal(const std::string& run, const std::string& name, const std::string& value);
  // Until all are over, or a signal came (false). Then everything is closed and only the outcomes are left.
  bool wait();

  struct Outcome {
    RunResult result;
    std::unique_ptr<Error> refused;  // it could not be started
    bool over = false;
  };
  // In the order of start() and resume().
  const std::vector<Outcome>& outcomes() const { return outcomes_; }

  // ---- engine::Observer
  void started(const store::RunRow& row, bool resumed) override;
  void committed(const store::RunRow& row, const journal::Record& record) override;
  void log(const store::RunRow& row, int64_t at_us, const char* level, std::string_view text,
           std::string_view fields) override;
  void ended(const store::RunRow& row, const flow::Ending& ending) override;

 private:
  struct Seen {
    uint64_t last_seq = 0;
    int64_t last_us = 0;
    bool over = false;
  };
  Session(Config config, StorePlace place, const CommonOptions& options);
  Result<void> open_store();
  Result<void> load_hooks();
  void watch_signals();
  void begun(size_t index, const Result<store::RunRow>& row, const std::function<void()>& then);
  void operated(size_t index, const Result<store::RunRow>& row, bool go_on);
  void over(size_t index, const store::RunRow& row, const flow::Ending& ending);
  void one_less();
  void look_at_rest();
  void tell_of_others();
  void close();

  Config config_;
  StorePlace place_;
  CommonOptions options_;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::ScriptHost> host_, hook_scripts_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Progress> progress_;  // null = quiet
  RunLog run_log_;
  CrashPoint crash_point_;
  std::unordered_map<std::string, Seen> seen_;
  std::vector<Outcome> outcomes_;
  size_t open_ = 0;  // outcomes that are not over
  bool waits_ = false;
  bool left_ = false;
};

}  // namespace perilune::cli
