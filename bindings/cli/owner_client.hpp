// Runs of a store that another process owns: it is asked over the store's socket, and what it tells is shown as if it
// happened here. Where it goes away before it has answered, this process takes its place.
// Uses owner_wire, local_socket, progress.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bindings/cli/config.hpp"
#include "bindings/cli/owner_wire.hpp"
#include "bindings/cli/progress.hpp"
#include "bindings/cli/session.hpp"
#include "runtime/loop/local_socket.hpp"

namespace perilune::cli {

class OwnerClient final : public Session {
 public:
  // Errors: "io" (nobody listens).
  static Result<std::unique_ptr<OwnerClient>> open(const StorePlace& place, const CommonOptions& options);
  ~OwnerClient() override;

  void start(engine::StartRequest request) override;
  void resume(const std::string& id) override { ask(ResumeCall{id}, id); }
  void cancel(const std::string& id, const std::string& by) override { ask(CancelCall{id, by}, id); }
  void operate(const std::string& id, const engine::Order& order, bool go_on) override { ask(OperateCall{id, order, go_on}, id); }
  void fork(const std::string& id, const engine::ForkOrder& order) override;
  Result<void> signal(const std::string& run, const std::string& name, const std::string& value) override;
  Result<void> answer(const std::string& run, uint64_t question, const std::string& value, const std::string& by) override;
  bool wait() override;
  const std::vector<Outcome>& outcomes() const override { return outcomes_; }

 private:
  struct Asked {
    std::unique_ptr<loop::LocalConnection> connection;
    store::RunRow row;
    bool answered = false;
  };
  OwnerClient(const StorePlace& place, const CommonOptions& options);
  Result<void> until_answered();
  void ask(OwnerCall call, const std::string& run);
  void heard(size_t index, const std::string& line);
  void accepted(size_t index, const OwnerNews& news);
  void ended(size_t index, const OwnerNews& news);
  void lost(size_t index);
  void close(size_t index);
  void watch_signals();
  void tell_of_silence();
  void give_up();

  std::string socket_;
  int64_t owner_;                        // its pid
  CommonOptions options_;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Progress> progress_;   // null = quiet
  std::vector<Asked> asked_;
  std::vector<Outcome> outcomes_;
  size_t open_ = 0;
  bool waits_ = false;
  bool left_ = false;
};

}  // namespace perilune::cli
