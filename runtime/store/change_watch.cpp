// See change_watch.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/change_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <utility>

namespace perilune::store {

namespace {
// How long until the next look, when the last one found nothing: a commit takes as long as the disk does.
constexpr int64_t k_pauses_ms[] = {2, 8, 30, 100, 300};
constexpr int k_looks_max = std::size(k_pauses_ms);
}  // namespace

ChangeWatch::ChangeWatch(std::string database, int64_t limit_ms) : limit_ms_(limit_ms) {
  std::error_code failed;
  std::filesystem::path path = std::filesystem::weakly_canonical(database, failed);
  if (failed) path = database;
  directory_ = path.parent_path().string();
  name_ = path.filename().string();
  fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  watch();
}

ChangeWatch::~ChangeWatch() {
  if (fd_ >= 0) close(fd_);
}

// The directory, for the log comes and goes.
void ChangeWatch::watch() {
  if (fd_ < 0 || watched_ >= 0) return;
  watched_ = inotify_add_watch(fd_, directory_.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE);
}

// What was told since the last time; true when it is of the database or its log.
bool ChangeWatch::drain() {
  bool ours = false;
  alignas(struct inotify_event) char buffer[4096];
  for (ssize_t size; (size = read(fd_, buffer, sizeof buffer)) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const struct inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof *event + event->len);
      if ((event->mask & IN_IGNORED) != 0) watched_ = -1;   // the directory has gone
      std::string_view name(event->len > 0 ? event->name : "");
      ours = ours || (event->mask & IN_Q_OVERFLOW) != 0 || name == name_ || name == name_ + "-wal";
    }
  }
  return ours;
}

ChangeWatch::Woken ChangeWatch::wait(bool found, int input_fd) {
  watch();
  looks_ = found ? 0 : std::min(looks_ + 1, k_looks_max + 1);
  int64_t timeout_ms = looks_ <= k_looks_max ? k_pauses_ms[std::max(looks_ - 1, 0)] : limit_ms_;
  if (watched_ < 0) timeout_ms = std::min<int64_t>(timeout_ms, limit_ms_);
  struct pollfd fds[2] = {{fd_, POLLIN, 0}, {input_fd, POLLIN, 0}};   // poll() passes by what is negative
  int ready = poll(fds, 2, static_cast<int>(timeout_ms));
  if (ready <= 0) return looks_ <= k_looks_max ? Woken::look : Woken::limit;
  if (fds[0].revents != 0 && drain()) looks_ = 0;
  return fds[1].revents != 0 ? Woken::input : Woken::look;
}

}  // namespace perilune::store
