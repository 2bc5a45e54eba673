// The sockets that the HTTP client waits for, each with a uv_poll of its own. Knows nothing of HTTP or libcurl.
// Promises: after forget() returns nothing more is reported for that descriptor, it may be closed and its number used
// again in the same loop pass; the memory of a handle is freed by libuv's close callback, also when that comes after
// the table is gone. `ready` may destroy the table. Uses libuv. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <unordered_map>

struct uv_loop_s;

namespace perilune::effects {

struct SocketEvents {
  bool readable = false;
  bool writable = false;
  bool error = false;
};

class HttpSocketWatch {
 public:
  using Ready = std::function<void(int fd, SocketEvents events)>;

  HttpSocketWatch(uv_loop_s* uv, Ready ready);
  ~HttpSocketWatch();
  HttpSocketWatch(const HttpSocketWatch&) = delete;
  HttpSocketWatch& operator=(const HttpSocketWatch&) = delete;

  // Watches `fd` for these events from now on, in place of those asked for before. False when libuv refuses.
  bool watch(int fd, bool readable, bool writable);
  void forget(int fd);  // unknown descriptors are ignored

 private:
  struct Entry;

  uv_loop_s* uv_;
  Ready ready_;
  std::unordered_map<int, Entry*> entries_;
};

}  // namespace perilune::effects
