// A child process on the loop, see process.hpp.
//
//   spawned --> running --(exited, and stdout and stderr at their end)--> finishing --(all handles closed)--> done
//                  |                                                          ^
//                  +--cancel: SIGTERM --grace--> SIGKILL, pipes are dropped --+
//
// The child stays a zombie until `finishing`: as long as it is not reaped its number, which is its group's, cannot be
// given to anyone else, so that signals to the group never hit strangers. A background grandchild that keeps the pipes
// open keeps the effect open, until it is cancelled. Exits are seen through a pidfd: the host's SIGCHLD stays the
// host's.
// SPDX-License-Identifier: MIT
#include "runtime/effects/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_set>

#include "runtime/effects/process_spawn.hpp"
#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr size_t k_chunk_bytes = 32 * 1024;
constexpr int k_chunks_per_wake = 8;                     // one talkative child does not starve the loop
constexpr auto k_wait_pidfd = static_cast<idtype_t>(3);  // P_PIDFD

class Job;

class Runner final : public ProcessRunner {
 public:
  explicit Runner(loop::Loop& loop) : loop_(loop) {}
  ~Runner() override;
  std::unique_ptr<Effect> run(ProcessSpec spec, Done<ProcessResult> done) override;

  loop::Loop& loop() { return loop_; }
  Result<int> null_fd();
  void forget(Job* job) { jobs_.erase(job); }

 private:
  loop::Loop& loop_;
  Fd null_;                        // /dev/null for children without input, opened once
  std::unordered_set<Job*> jobs_;  // those that have not delivered yet; each owns itself
};

// A descriptor with the handle that watches it. Closing the descriptor is at once, the handle follows in the same pass.
struct Watched {
  uv_poll_t poll;
  Fd fd;
  bool open = false;
};

class Job : public std::enable_shared_from_this<Job> {
 public:
  Job(Runner& runner, ProcessSpec spec, Done<ProcessResult> done)
      : runner_(&runner), loop_(runner.loop()), spec_(std::move(spec)), done_(std::move(done)) {}

  void start();
  void cancel();
  void detach();
  void shoot_down();

 private:
  Result<void> launch();
  Result<void> watch(Watched& watched, Fd fd, int events, uv_poll_cb on_ready);
  void unwatch(Watched& watched);
  void on_exit();
  void on_output(Watched& stream);
  void keep(bool is_stderr, std::string_view chunk);
  void on_input_ready(bool broken);
  bool write_input(int fd);
  void signal_group(int number);
  void on_grace_over();
  void finish_if_through();
  void finish();
  void deliver();

  Runner* runner_;  // nullptr when the runner died before us
  loop::Loop& loop_;
  ProcessSpec spec_;
  Done<ProcessResult> done_;
  std::shared_ptr<Job> self_;  // from start to deliver: handles point at us

  Watched exit_, out_, err_, in_;
  int open_handles_ = 0;
  pid_t pid_ = -1;  // > 0 as long as the child is not reaped
  size_t input_written_ = 0;
  int64_t started_us_ = 0;
  loop::TimerId grace_timer_ = 0;
  ProcessResult result_;
  std::optional<Error> failure_;
  bool exited_ = false;  // its status is known
  bool cancelled_ = false;
  bool killed_ = false;  // SIGKILL was sent: nothing that holds the pipes is waited for
  bool finishing_ = false;
  bool detached_ = false;  // nobody wants to hear of it
};

class ProcessEffect final : public Effect {
 public:
  explicit ProcessEffect(std::shared_ptr<Job> job) : job_(std::move(job)) {}
  ~ProcessEffect() override { job_->detach(); }
  void cancel() override { job_->cancel(); }

 private:
  std::shared_ptr<Job> job_;
};

// ---- runner

Runner::~Runner() {
  const auto jobs = std::exchange(jobs_, {});
  for (Job* job : jobs) job->shoot_down();
}

std::unique_ptr<Effect> Runner::run(ProcessSpec spec, Done<ProcessResult> done) {
  auto job = std::make_shared<Job>(*this, std::move(spec), std::move(done));
  jobs_.insert(job.get());
  job->start();
  return std::make_unique<ProcessEffect>(std::move(job));
}

Result<int> Runner::null_fd() {
  if (!null_) {
    auto opened = open_null();
    if (!opened.ok()) return opened.error();
    null_ = std::move(*opened);
  }
  return null_.get();
}

// ---- start

void Job::start() {
  self_ = shared_from_this();
  started_us_ = loop_.clock().mono_us();
  auto launched = launch();
  if (launched.ok()) return;
  failure_ = std::move(launched.error());
  finish();
}

Result<void> Job::launch() {
  if (loop_.uv() == nullptr) return Error(code::k_io, "no processes on a simulated loop");
  auto image = make_process_image(spec_);
  if (!image.ok()) return image.error();
  auto out = make_pipe();
  if (!out.ok()) return out.error();
  auto err = make_pipe();
  if (!err.ok()) return err.error();
  auto null = runner_->null_fd();
  if (!null.ok()) return null.error();
  Pipe in;
  if (!spec_.stdin_data.empty()) {
    auto made = make_pipe();
    if (!made.ok()) return made.error();
    in = std::move(*made);
    fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
    // What the pipe holds goes in now; most input is through before the child lives.
    if (write_input(in.write.get())) in.write.reset();
  }

  auto child = spawn_child(*image, spec_, {in.read ? in.read.get() : *null, out->write.get(), err->write.get()});
  if (!child.ok()) return child.error();
  pid_ = child->pid;
  in.read.reset();  // else a child that closes its input would not be noticed

  auto watched = watch(exit_, std::move(child->pidfd), UV_READABLE,
                       [](uv_poll_t* poll, int, int) { static_cast<Job*>(poll->data)->on_exit(); });
  const uv_poll_cb on_readable = [](uv_poll_t* poll, int, int) {
    auto* job = static_cast<Job*>(poll->data);
    job->on_output(poll == &job->out_.poll ? job->out_ : job->err_);
  };
  if (watched.ok()) watched = watch(out_, std::move(out->read), UV_READABLE, on_readable);
  if (watched.ok()) watched = watch(err_, std::move(err->read), UV_READABLE, on_readable);
  if (watched.ok() && in.write) {
    watched = watch(in_, std::move(in.write), UV_WRITABLE, [](uv_poll_t* poll, int status, int) {
      static_cast<Job*>(poll->data)->on_input_ready(status < 0);
    });
  }
  return watched;
}

Result<void> Job::watch(Watched& watched, Fd fd, int events, uv_poll_cb on_ready) {
  int status = uv_poll_init(loop_.uv(), &watched.poll, fd.get());
  if (status != 0) return Error(code::k_io, std::string("cannot watch a child process: ") + uv_strerror(status));
  watched.poll.data = this;
  watched.fd = std::move(fd);
  watched.open = true;
  open_handles_++;
  status = uv_poll_start(&watched.poll, events, on_ready);
  if (status != 0) return Error(code::k_io, std::string("cannot watch a child process: ") + uv_strerror(status));
  return {};
}

void Job::unwatch(Watched& watched) {
  if (!watched.open) return;
  watched.open = false;
  uv_close(reinterpret_cast<uv_handle_t*>(&watched.poll), [](uv_handle_t* handle) {
    auto* job = static_cast<Job*>(handle->data);
    job->open_handles_--;
    if (job->open_handles_ == 0 && job->finishing_) job->deliver();
  });
  watched.fd.reset();
}

// ---- running

// WNOWAIT: the status is read, the zombie stays.
void Job::on_exit() {
  siginfo_t info = {};
  const int waited = waitid(k_wait_pidfd, static_cast<id_t>(exit_.fd.get()), &info, WEXITED | WNOHANG | WNOWAIT);
  if (waited == 0 && info.si_pid == 0) return;
  if (waited != 0 && errno == EINTR) return;
  exited_ = true;
  uv_poll_stop(&exit_.poll);
  if (waited != 0) {
    // Somebody else has reaped our child (a host that ignores SIGCHLD or waits for everything).
    failure_ = system_error(errno, "learn the exit status of " + quoted(spec_.argv[0]));
    failure_->code = code::k_io;
    pid_ = -1;
  } else if (info.si_code == CLD_EXITED) {
    result_.code = info.si_status;
  } else {
    result_.signal = info.si_status;
    result_.code = 128 + info.si_status;
  }
  if (killed_) {
    unwatch(out_);
    unwatch(err_);
  }
  finish_if_through();
}

void Job::on_output(Watched& stream) {
  char chunk[k_chunk_bytes];
  for (int i = 0; i < k_chunks_per_wake; i++) {
    const ssize_t got = read(stream.fd.get(), chunk, sizeof chunk);
    if (got > 0) {
      keep(&stream == &err_, {chunk, static_cast<size_t>(got)});
      if (!stream.open) return;  // the listener ended us
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    unwatch(stream);
    finish_if_through();
    return;
  }
}

void Job::keep(bool is_stderr, std::string_view chunk) {
  std::string& into = is_stderr ? result_.err : result_.out;
  const size_t room = spec_.output_limit - std::min(into.size(), spec_.output_limit);
  into.append(chunk.substr(0, room));
  if (chunk.size() > room) result_.truncated = true;
  if (spec_.on_output && !detached_) spec_.on_output(is_stderr, chunk);
}

// A child that closed its input (libuv: status < 0; write: EPIPE) has had enough; that is its right.
void Job::on_input_ready(bool broken) {
  if (broken || write_input(in_.fd.get())) unwatch(in_);
}

// True when there is nothing more to write. SIGPIPE is kept from the host for the time of the write.
bool Job::write_input(int fd) {
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  bool through = false;
  while (!through) {
    const std::string_view rest = std::string_view(spec_.stdin_data).substr(input_written_);
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE)) {
      const timespec at_once = {};
      sigtimedwait(&pipe_signal, nullptr, &at_once);
    }
    if (written > 0) input_written_ += static_cast<size_t>(written);
    through = written < 0 || input_written_ == spec_.stdin_data.size();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return through;
}

// ---- end

void Job::cancel() {
  if (cancelled_ || finishing_) return;
  cancelled_ = true;
  signal_group(SIGTERM);
  signal_group(SIGCONT);  // a stopped process hears SIGTERM only when it goes on
  grace_timer_ = loop_.start_timer(spec_.grace_us, [this] { on_grace_over(); });
}

// A child may have left the group it led; it is ours all the same.
void Job::signal_group(int number) {
  if (pid_ <= 0) return;
  if (kill(-pid_, number) != 0 || number == SIGKILL) kill(pid_, number);
}

void Job::on_grace_over() {
  grace_timer_ = 0;
  killed_ = true;
  signal_group(SIGKILL);
  if (!exited_) return;  // on_exit() goes on
  unwatch(out_);
  unwatch(err_);
  finish_if_through();
}

void Job::detach() {
  detached_ = true;
  cancel();
}

// The runner goes away: no grace, no callbacks. Memory is freed when the loop has closed the handles.
void Job::shoot_down() {
  detached_ = true;
  runner_ = nullptr;
  if (!finishing_) finish();
}

void Job::finish_if_through() {
  if (exited_ && !out_.open && !err_.open && !finishing_) finish();
}

// What is left of the group is killed, then the child is reaped (it is a zombie or was just killed).
void Job::finish() {
  finishing_ = true;
  if (grace_timer_ != 0) loop_.stop_timer(std::exchange(grace_timer_, 0));
  if (pid_ > 0) {
    signal_group(SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
  result_.duration_us = loop_.clock().mono_us() - started_us_;
  for (Watched* watched : {&exit_, &out_, &err_, &in_}) unwatch(*watched);
  // The post owns the job from here: a loop that ends before it came to the post frees both.
  if (open_handles_ == 0) loop_.post([job = std::move(self_)] { job->deliver(); });
}

// The last thing: nothing of the process is left, and soon nothing of the job.
void Job::deliver() {
  const std::shared_ptr<Job> self = shared_from_this();
  self_.reset();
  if (runner_ != nullptr) runner_->forget(this);
  if (detached_) return;
  detached_ = true;
  const Done<ProcessResult> done = std::move(done_);
  if (failure_) {
    done(std::move(*failure_));
  } else if (cancelled_) {
    done(Error(code::k_cancelled, "the process " + quoted(spec_.argv[0]) + " was cancelled"));
  } else {
    done(std::move(result_));
  }
}

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner(loop::Loop& loop) { return std::make_unique<Runner>(loop); }

}  // namespace perilune::effects
