// Lines of text between processes of one machine and one user: a Unix socket with a name (and no file), on the loop.
// Promises: callbacks come on the loop, never inside a call; a peer of another user is sent away; a peer that does not
// read what it is sent, or sends a line over the limit, is cut off and slows nobody. Of libuv's loop only.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/loop/loop.hpp"

namespace perilune::loop {

class LocalConnection {
 public:
  // Connects at once. Errors: "io" (nobody listens there).
  static Result<std::unique_ptr<LocalConnection>> open(Loop& loop, const std::string& name);
  ~LocalConnection();   // closes it; nothing is called any more
  LocalConnection(const LocalConnection&) = delete;

  // `line` (without its end) comes whole; `closed` once, when the peer has gone or was cut off. Either may destroy this.
  void listen(std::function<void(std::string line)> line, std::function<void()> closed);
  // `text` has no line end in it.
  void send(std::string text);

 private:
  friend class LocalListener;
  struct Stream;
  explicit LocalConnection(Stream* stream) : stream_(stream) {}
  Stream* stream_;      // belongs to the loop until it is closed
};

class LocalListener {
 public:
  // Errors: "io" (somebody listens under this name).
  static Result<std::unique_ptr<LocalListener>> open(Loop& loop, const std::string& name,
                                                     std::function<void(std::unique_ptr<LocalConnection>)> connected);
  ~LocalListener();
  LocalListener(const LocalListener&) = delete;

 private:
  struct Server;
  explicit LocalListener(Server* server) : server_(server) {}
  Server* server_;
};

}  // namespace perilune::loop
