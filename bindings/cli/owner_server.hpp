// The owner's side of the store's socket: other processes begin, take up and change runs through it. A guest whose run is
// executed here is told of its records, as they are committed; when it goes away the run goes on.
// Uses engine, owner_wire, local_socket.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bindings/cli/owner_wire.hpp"
#include "runtime/loop/local_socket.hpp"

namespace perilune::cli {

class OwnerServer {
 public:
  // `count`: +1 for each run that a guest has begun or taken up, -1 when it is over and the guest has heard of it. Null when
  // the socket can't be made: then nobody is answered, and others are told that the store is owned.
  static std::unique_ptr<OwnerServer> open(loop::Loop& loop, const std::string& path, engine::Engine& engine,
                                           std::function<void(int)> count);
  ~OwnerServer();

  // As engine::Observer is told.
  void committed(const store::RunRow& row, const journal::Record& record);
  void log(const store::RunRow& row, int64_t at_us, std::string_view level, std::string_view text);

 private:
  struct Guest {
    std::unique_ptr<loop::LocalConnection> connection;
    std::string run;               // that it listens to
    bool counted = false;
    loop::TimerId patience = 0;    // until it must have gone
  };
  using GuestRef = std::shared_ptr<Guest>;
  OwnerServer(loop::Loop& loop, engine::Engine& engine, std::function<void(int)> count)
      : loop_(loop), engine_(engine), count_(std::move(count)) {}
  void connected(std::unique_ptr<loop::LocalConnection> connection);
  void called(const GuestRef& guest, const std::string& text);
  void carry_out(const GuestRef& guest, OwnerCall call);
  void accept(const GuestRef& guest, const store::RunRow& row, bool stays);
  void refuse(const GuestRef& guest, const Error& error);
  void ended(const GuestRef& guest, const store::RunRow& row, const flow::Ending& ending);
  void gone(const GuestRef& guest);
  void discharge(const GuestRef& guest);
  void tell(const std::string& run, const OwnerNews& news);

  loop::Loop& loop_;
  engine::Engine& engine_;
  std::function<void(int)> count_;
  std::unique_ptr<loop::LocalListener> listener_;
  std::vector<GuestRef> guests_;
};

}  // namespace perilune::cli
