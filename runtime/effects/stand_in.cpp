// Answers in place of effects; see stand_in.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/stand_in.hpp"

#include <utility>

namespace perilune::effects {

namespace {

class Played final : public Effect {
 public:
  Played(loop::Loop& loop, Result<std::string> answer, int64_t after_us, Done<std::string> done)
      : loop_(loop), answer_(std::move(answer)), done_(std::move(done)) {
    timer_ = loop_.start_timer(after_us, [this] { finish(); });
  }
  ~Played() override { loop_.stop_timer(timer_); }

  void cancel() override {
    loop_.stop_timer(timer_);
    answer_ = Error(code::k_cancelled, "cancelled");
    timer_ = loop_.start_timer(0, [this] { finish(); });
  }

 private:
  void finish() {
    timer_ = 0;
    auto done = std::move(done_);
    Result<std::string> answer = std::move(answer_);
    done(std::move(answer));   // destroys this
  }
  loop::Loop& loop_;
  Result<std::string> answer_;
  Done<std::string> done_;
  loop::TimerId timer_ = 0;
};

}  // namespace

std::unique_ptr<Effect> play(loop::Loop& loop, Result<std::string> answer, int64_t after_us, Done<std::string> done) {
  return std::make_unique<Played>(loop, std::move(answer), after_us, std::move(done));
}

}  // namespace perilune::effects
