// Runs that this process executes: store, loop, script host and engine put together, what it shows and logs on the way,
// and how it stops. While it waits it answers other processes that want something of the store (owner_server), and stays
// until their runs are over, too. Uses engine, lua, api, sqlite_store, progress, run_log.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/cli/config.hpp"
#include "bindings/cli/crash_point.hpp"
#include "bindings/cli/owner_server.hpp"
#include "bindings/cli/progress.hpp"
#include "bindings/cli/run_log.hpp"
#include "bindings/cli/session.hpp"

namespace perilune::cli {

class LocalSession final : public Session, public engine::Observer {
 public:
  // Errors: "owned", "storage", ...
  static Result<std::unique_ptr<LocalSession>> open(Config config, StorePlace place, const CommonOptions& options);
  ~LocalSession() override;

  // ---- Session
  void start(engine::StartRequest request) override;
  void resume(const std::string& id) override { take_up(id, {}); }
  void cancel(const std::string& id, const std::string& by) override;
  void operate(const std::string& id, const engine::Order& order, bool go_on) override;
  void fork(const std::string& id, const engine::ForkOrder& order) override;
  Result<void> signal(const std::string& run, const std::string& name, const std::string& value) override;
  Result<void> answer(const std::string& run, uint64_t question, const std::string& value, const std::string& by) override;
  bool wait() override;
  const std::vector<Outcome>& outcomes() const override { return outcomes_; }

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
  LocalSession(Config config, StorePlace place, const CommonOptions& options);
  void take_up(const std::string& id, std::function<void()> then);
  Result<void> open_store();
  Result<void> load_hooks();
  Result<void> until_stored(const std::function<void(std::function<void(Result<void>)> done)>& ask);
  void watch_signals();
  void serve();
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
  std::unique_ptr<OwnerServer> server_;
  RunLog run_log_;
  CrashPoint crash_point_;
  std::unordered_map<std::string, Seen> seen_;
  std::vector<Outcome> outcomes_;
  size_t open_ = 0;  // outcomes that are not over, and guests that have not gone
  bool waits_ = false;
  bool left_ = false;
};

}  // namespace perilune::cli
