// The disk and the system: appends with fdatasync, and processes.
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/raw_limits.hpp"

extern char** environ;

namespace perilune::bench {

double append_and_sync_s(const std::string& directory, int times, bool preallocated) {
  ScratchDirectory scratch(directory);
  int fd = open(scratch.file("log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) fail("no file could be made in " + directory);
  char block[256] = {1};
  if (preallocated) {  // written once, so that the file system has nothing to note later
    for (int i = 0; i < times; ++i)
      if (write(fd, block, sizeof block) != sizeof block) fail("a write failed");
    if (fsync(fd) != 0 || lseek(fd, 0, SEEK_SET) != 0) fail("an fsync failed");
  }
  double began_s = seconds();
  for (int i = 0; i < times; ++i)
    if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0) fail("a write failed");
  double took_s = seconds() - began_s;
  close(fd);
  return took_s / times;
}

double process_s(const std::vector<std::string>& command, const std::string& directory, int times) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  for (int fd : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
  double began_s = seconds();
  for (int i = 0; i < times; ++i) {
    pid_t pid = 0;
    int status = 0;
    if (posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
      fail(command[0] + " did not start");
    if (waitpid(pid, &status, 0) != pid || status != 0) fail(command[0] + " ended badly; run it in " + directory);
  }
  double took_s = seconds() - began_s;
  posix_spawn_file_actions_destroy(&actions);
  return took_s / times;
}

}  // namespace perilune::bench
