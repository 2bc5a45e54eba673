// Blocking work on libuv's pool, see offload.hpp. A job owns itself from the start until its callback on the loop,
// since the pool points at it; the Offload and the Effect only know it.
// SPDX-License-Identifier: MIT
#include "runtime/effects/offload.hpp"

#include <uv.h>

#include <exception>
#include <unordered_set>
#include <utility>

namespace perilune::effects {

namespace {

class Job;

class Pool final : public Offload {
 public:
  explicit Pool(loop::Loop& loop) : loop_(loop) {}
  ~Pool() override;
  std::unique_ptr<Effect> run(std::function<Result<std::string>()> work, Done<std::string> done) override;

  void forget(Job* job) { jobs_.erase(job); }

 private:
  loop::Loop& loop_;
  std::unordered_set<Job*> jobs_;  // not delivered yet
};

class Job : public std::enable_shared_from_this<Job> {
 public:
  Job(Pool& pool, std::function<Result<std::string>()> work, Done<std::string> done)
      : pool_(&pool), work_(std::move(work)), done_(std::move(done)) {}

  void start(loop::Loop& loop);
  void cancel();
  void detach();
  void orphan();

 private:
  void do_work();
  void deliver();

  Pool* pool_;  // nullptr when the pool died before us
  std::function<Result<std::string>()>
      work_;  // runs on a thread of the pool; it and result_ are that thread's until then
  Done<std::string> done_;
  std::shared_ptr<Job> self_;  // from start to deliver
  uv_work_t request_ = {};
  Result<std::string> result_ = Error(code::k_cancelled, "cancelled before it began");
  bool queued_ = false;  // request_ is libuv's
  bool detached_ = false;
};

class OffloadEffect final : public Effect {
 public:
  explicit OffloadEffect(std::shared_ptr<Job> job) : job_(std::move(job)) {}
  ~OffloadEffect() override { job_->detach(); }
  void cancel() override { job_->cancel(); }

 private:
  std::shared_ptr<Job> job_;
};

Pool::~Pool() {
  const auto jobs = std::exchange(jobs_, {});
  for (Job* job : jobs) job->orphan();
}

std::unique_ptr<Effect> Pool::run(std::function<Result<std::string>()> work, Done<std::string> done) {
  auto job = std::make_shared<Job>(*this, std::move(work), std::move(done));
  jobs_.insert(job.get());
  job->start(loop_);
  return std::make_unique<OffloadEffect>(std::move(job));
}

void Job::start(loop::Loop& loop) {
  if (loop.uv() == nullptr) {
    do_work();
    loop.post([job = shared_from_this()] { job->deliver(); });
    return;
  }
  self_ = shared_from_this();
  request_.data = this;
  // Fails only without a work function. A cancelled request comes back here as well, with its result untouched.
  uv_queue_work(
      loop.uv(), &request_, [](uv_work_t* request) { static_cast<Job*>(request->data)->do_work(); },
      [](uv_work_t* request, int) { static_cast<Job*>(request->data)->deliver(); });
  queued_ = true;
}

// No exception may cross the pool, which is C.
void Job::do_work() {
  try {
    result_ = work_();
  } catch (const std::exception& thrown) {
    result_ = Error(code::k_internal, std::string("blocking work threw: ") + thrown.what());
  } catch (...) {
    result_ = Error(code::k_internal, "blocking work threw");
  }
}

// Work that has begun goes on (libuv answers UV_EBUSY).
void Job::cancel() {
  if (queued_) uv_cancel(reinterpret_cast<uv_req_t*>(&request_));
}

void Job::detach() {
  detached_ = true;
  cancel();
}

void Job::orphan() {
  pool_ = nullptr;
  detach();
}

void Job::deliver() {
  const std::shared_ptr<Job> self = shared_from_this();
  self_.reset();
  queued_ = false;
  if (pool_ != nullptr) pool_->forget(this);
  work_ = nullptr;  // what it holds dies on the loop's thread
  if (detached_) return;
  detached_ = true;
  const Done<std::string> done = std::move(done_);
  done(std::move(result_));
}

}  // namespace

std::unique_ptr<Offload> make_offload(loop::Loop& loop) { return std::make_unique<Pool>(loop); }

}  // namespace perilune::effects
