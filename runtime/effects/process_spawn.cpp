// vfork and what the child does before it executes, see process_spawn.hpp.
//
// Rules of the child (child_main and below it): only async-signal-safe calls, no allocation, no write to memory of the
// parent but its own stack frame. What it needs was put into ChildOrder before. What fails there is told through a pipe
// that closes on exec: the end of the pipe without a word means that the program runs.
// SPDX-License-Identifier: MIT
#include "runtime/effects/process_spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr unsigned k_close_range_cloexec = 1u << 2;  // CLOSE_RANGE_CLOEXEC, Linux 5.11
constexpr int k_fd_sweep_max = 65536;                // on older kernels: descriptors looked at one by one

enum class Stage : int { k_group, k_directory, k_streams, k_limits, k_execute };

struct ChildFailure {
  Stage stage;
  int number;
};

struct Limit {
  int resource;
  rlimit value;
  bool set;
};

struct ChildOrder {
  const char* program;
  char* const* argv;
  char* const* env;
  const char* cwd;  // nullptr = stay
  ChildStreams streams;
  Limit limits[3];
  int report_fd;
  pid_t parent;
};

[[noreturn]] void child_fails(const ChildOrder& order, Stage stage) {
  const ChildFailure failure{stage, errno};
  // Eight bytes into an empty pipe are written whole.
  [[maybe_unused]] const ssize_t written = write(order.report_fd, &failure, sizeof failure);
  _exit(127);
}

void reset_signals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) {
    if (number != SIGKILL && number != SIGSTOP) sigaction(number, &action, nullptr);
  }
}

void close_the_rest() {
  if (syscall(SYS_close_range, 3u, ~0u, k_close_range_cloexec) == 0) return;
  for (int fd = 3; fd < k_fd_sweep_max; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

[[noreturn]] void child_main(const ChildOrder& order) {
  if (setpgid(0, 0) != 0) child_fails(order, Stage::k_group);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) child_fails(order, Stage::k_group);
  if (getppid() != order.parent) _exit(127);  // the parent died before it could take us along
  reset_signals();
  if (order.cwd != nullptr && chdir(order.cwd) != 0) child_fails(order, Stage::k_directory);
  if (dup2(order.streams.in, 0) < 0 || dup2(order.streams.out, 1) < 0 || dup2(order.streams.err, 2) < 0) {
    child_fails(order, Stage::k_streams);
  }
  close_the_rest();
  for (const Limit& limit : order.limits) {
    if (limit.set && setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &limit.value) != 0) {
      child_fails(order, Stage::k_limits);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(order.program, order.argv, order.env);
  child_fails(order, Stage::k_execute);
}

// A function of its own and never inlined: the child returns into no frame that the parent has left.
[[gnu::noinline]] pid_t vfork_child(const ChildOrder& order) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child on our memory
  const pid_t pid = vfork();
  if (pid == 0) child_main(order);
  const int number = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return pid;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// At a soft CPU limit comes SIGXCPU, a second later SIGKILL.
Limit make_limit(int resource, uint64_t value, uint64_t hard_slack) {
  Limit limit{resource, {}, value != 0};
  if (!limit.set) return limit;
  rlimit ours{RLIM_INFINITY, RLIM_INFINITY};
  getrlimit(static_cast<__rlimit_resource_t>(resource), &ours);
  const rlim_t hard = value > RLIM_INFINITY - hard_slack ? RLIM_INFINITY : value + hard_slack;
  limit.value.rlim_max = std::min(hard, ours.rlim_max);
  limit.value.rlim_cur = std::min<rlim_t>(value, limit.value.rlim_max);
  return limit;
}

Error error_of(const ChildFailure& failure, const ProcessImage& image) {
  const std::string program = quoted(image.program);
  switch (failure.stage) {
    case Stage::k_group:
      return system_error(failure.number, "make a process group for " + program);
    case Stage::k_directory: {
      Error error = system_error(failure.number, "start " + program + " in directory " + quoted(image.cwd));
      error.code = code::k_io;
      return error;
    }
    case Stage::k_streams:
      return system_error(failure.number, "connect the streams of " + program);
    case Stage::k_limits: {
      Error error = system_error(failure.number, "limit the resources of " + program);
      error.code = code::k_io;
      return error;
    }
    case Stage::k_execute:
      break;
  }
  const bool from_cwd = image.program[0] != '/' && !image.cwd.empty();
  const std::string path = from_cwd ? image.cwd + "/" + image.program : image.program;
  switch (failure.number) {
    case ENOENT:
    case ENOTDIR:
      if (access(path.c_str(), F_OK) == 0) {
        return Error(code::k_not_found, "cannot run " + program + ": the interpreter it names is missing");
      }
      return Error(code::k_not_found, "no such program: " + program);
    case ENOEXEC:
      return Error(code::k_denied, "not executable: " + program + " is no program and has no #! line");
    case EACCES:
      return Error(code::k_denied, "not executable: " + program);
    default:
      return system_error(failure.number, "run " + program);
  }
}

// Waits for a child that is known to be on its way out.
void reap(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool move_up(Fd& fd) {
  if (fd.get() > 2) return true;
  fd = Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  return static_cast<bool>(fd);
}

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "open a pipe");
  Pipe made{Fd(ends[0]), Fd(ends[1])};
  if (!move_up(made.read) || !move_up(made.write)) return system_error(errno, "open a pipe");
  return made;
}

Result<Fd> open_null() {
  Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!fd || !move_up(fd)) {
    Error error = system_error(errno, "open '/dev/null'");
    error.code = code::k_io;
    return error;
  }
  return fd;
}

Result<Child> spawn_child(const ProcessImage& image, const ProcessSpec& spec, const ChildStreams& streams) {
  auto report = make_pipe();
  if (!report.ok()) return report.error();
  const std::vector<char*> argv = pointers(image.argv);
  const std::vector<char*> env = pointers(image.env);
  ChildOrder order{};
  order.program = image.program.c_str();
  order.argv = argv.data();
  order.env = env.data();
  order.cwd = image.cwd.empty() ? nullptr : image.cwd.c_str();
  order.streams = streams;
  order.limits[0] = make_limit(RLIMIT_CPU, spec.cpu_s, 1);
  order.limits[1] = make_limit(RLIMIT_AS, spec.memory_bytes, 0);
  order.limits[2] = make_limit(RLIMIT_NOFILE, spec.open_files, 0);
  order.report_fd = report->write.get();
  order.parent = getpid();

  Child child;
  child.pid = vfork_child(order);
  if (child.pid < 0) return Error(code::k_io, system_error(errno, "start " + quoted(image.program)).message);
  report->write.reset();
  ChildFailure failure{};
  ssize_t got;
  do got = read(report->read.get(), &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  if (got == sizeof failure) {
    reap(child.pid);
    return error_of(failure, image);
  }
  child.pidfd = Fd(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0u)));  // closed on exec by itself
  if (!child.pidfd) {
    const int number = errno;
    kill(-child.pid, SIGKILL);
    reap(child.pid);
    return Error(code::k_io, system_error(number, "watch " + quoted(image.program)).message);
  }
  return child;
}

}  // namespace perilune::effects
