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

double process_s(const std::string& program, int times) {
  double began_s = seconds();
  for (int i = 0; i < times; ++i) {
    std::string name = program;
    char* arguments[] = {name.data(), nullptr};
    pid_t pid = 0;
    int status = 0;
    if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) != 0) fail(program + " did not start");
    if (waitpid(pid, &status, 0) != pid) fail(program + " could not be waited for");
  }
  return (seconds() - began_s) / times;
}

}  // namespace perilune::bench
