// See errand.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/errand.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "bindings/cli/terminal.hpp"

extern char** environ;

namespace perilune::cli {

Errand::Errand(const std::vector<std::string>& words, std::string name) : name_(std::move(name)) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  output_ = ends[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string program = "perilune";
  std::vector<char*> arguments = {program.data()};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, arguments.data(), environ) != 0) pid_ = -1;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
}

Errand::Errand(Errand&& other) noexcept { *this = std::move(other); }

Errand& Errand::operator=(Errand&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(said_, other.said_);
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  return *this;
}

Errand::~Errand() {
  if (output_ >= 0) close(output_);
}

std::optional<std::string> Errand::over() {
  constexpr size_t k_said_max = 4096;
  char bytes[1024];
  for (ssize_t size; output_ >= 0 && (size = read(output_, bytes, sizeof bytes)) > 0;)
    if (said_.size() < k_said_max) said_.append(bytes, static_cast<size_t>(size));
  int status = 0;
  if (pid_ >= 0 && waitpid(pid_, &status, WNOHANG) == 0) return std::nullopt;
  if (pid_ < 0) return name_ + ": no process could be started for it";
  std::string said = said_.substr(0, said_.find('\n'));
  return name_ + ": " + (said.empty() ? (status == 0 ? "done" : "ended with " + std::to_string(WEXITSTATUS(status))) : printable(said));
}

}  // namespace perilune::cli
