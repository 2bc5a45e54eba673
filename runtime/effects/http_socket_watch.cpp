// See http_socket_watch.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/http_socket_watch.hpp"

#include <uv.h>

#include <utility>

namespace perilune::effects {

// Owned by libuv from uv_poll_init() to the close callback; until forget() the table points at it.
struct HttpSocketWatch::Entry {
  uv_poll_t poll;
  HttpSocketWatch* table;
  int fd;
  int wanted;

  bool start();
  static void on_poll(uv_poll_t* poll, int status, int events);
  static void on_closed(uv_handle_t* handle) { delete static_cast<Entry*>(handle->data); }
};

HttpSocketWatch::HttpSocketWatch(uv_loop_s* uv, Ready ready) : uv_(uv), ready_(std::move(ready)) {}

HttpSocketWatch::~HttpSocketWatch() {
  while (!entries_.empty()) forget(entries_.begin()->first);
}

bool HttpSocketWatch::watch(int fd, bool readable, bool writable) {
  Entry*& entry = entries_[fd];
  if (entry == nullptr) {
    auto* fresh = new Entry{{}, this, fd, 0};
    if (uv_poll_init(uv_, &fresh->poll, fd) != 0) {
      delete fresh;
      entries_.erase(fd);
      return false;
    }
    fresh->poll.data = fresh;
    entry = fresh;
  }
  entry->wanted = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  return entry->start();
}

void HttpSocketWatch::forget(int fd) {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return;
  Entry* entry = found->second;
  entries_.erase(found);
  uv_poll_stop(&entry->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&entry->poll), Entry::on_closed);
}

bool HttpSocketWatch::Entry::start() {
  return (wanted == 0 ? uv_poll_stop(&poll) : uv_poll_start(&poll, wanted, on_poll)) == 0;
}

void HttpSocketWatch::Entry::on_poll(uv_poll_t* poll, int status, int events) {
  auto* entry = static_cast<Entry*>(poll->data);
  SocketEvents seen{(events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0, status < 0};
  // libuv stops a poll that saw an error. The owner believes that it still watches, so it goes on watching.
  if (status < 0) entry->start();
  const Ready ready = entry->table->ready_;  // a copy: the call may destroy the table
  ready(entry->fd, seen);
}

}  // namespace perilune::effects
