// A run that does the work of an operation in its place, because a hook said redirect(name). Its id follows from the
// operation, so that a crash at any moment finds the same run again. Uses child.hpp's ChildRuns.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/flow/child.hpp"

namespace perilune::flow {

class Redirection {
 public:
  using Done = std::function<void(Result<std::string>)>;   // the other run's output, or its error

  Redirection(Execution& execution, Durable& op) : execution_(execution), op_(op) {}
  ~Redirection();
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

  // The id of the run that stands in for `op`.
  static std::string run_id(Execution& execution, const Durable& op);

  // `done` comes later, once; not when the run leaves memory before.
  void start(std::string workflow, std::string input, Done done);
  // The other run is asked to end; done() comes when it has. An earlier life may have begun it.
  void cancel(const Error& reason);

 private:
  void watch();
  bool ended(const Ending& ending);
  void finish(Result<std::string> result);

  Execution& execution_;
  Durable& op_;
  std::string workflow_, run_;
  Done done_;
  bool waiting_ = false;       // counted by the execution
  bool stuck_ = false;         // the other run can't go on here
  bool cancelled_ = false;
  std::unique_ptr<Error> reason_;   // cancelled before the other run was on disk
  bool begun_ = false;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
};

}  // namespace perilune::flow
