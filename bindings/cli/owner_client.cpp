// What another process is asked, and what it tells; see owner_client.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/owner_client.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "bindings/cli/report.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "runtime/store/sqlite_store.hpp"

namespace perilune::cli {

namespace {
constexpr int64_t k_remark_us = 2'000'000;
}

Result<std::unique_ptr<OwnerClient>> OwnerClient::open(const StorePlace& place, const CommonOptions& options) {
  std::unique_ptr<OwnerClient> client(new OwnerClient(place, options));
  auto probe = loop::LocalConnection::open(*client->loop_, client->socket_);
  if (!probe.ok()) return probe.error();
  client->watch_signals();
  return client;
}

OwnerClient::OwnerClient(const StorePlace& place, const CommonOptions& options)
    : socket_(owner_socket_of(place.path)), owner_(store::sqlite_owner_pid(place.path)), options_(options), loop_(loop::make_uv_loop()) {
  if (!options.quiet) progress_ = make_progress(*loop_, STDERR_FILENO, options.json);
}

OwnerClient::~OwnerClient() {
  asked_.clear();
  progress_.reset();
}

void OwnerClient::watch_signals() {
  for (int number : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    loop_->on_signal(number, [this] {
      left_ = true;
      for (int again : {SIGINT, SIGTERM}) loop_->on_signal(again, {});
      loop_->stop();
    });
  }
}

// An id of its own makes the call the same one when it is made again.
void OwnerClient::start(engine::StartRequest request) {
  if (request.id.empty()) request.id = new_uuid_v7(loop_->clock().wall_us());
  std::string id = request.id;
  ask(StartCall{std::move(request)}, id);
}

void OwnerClient::fork(const std::string& id, const engine::ForkOrder& order) { ask(ForkCall{id, order}, {}); }

void OwnerClient::ask(OwnerCall call, const std::string& run) {
  size_t index = outcomes_.size();
  outcomes_.emplace_back();
  outcomes_.back().result.run = run;
  asked_.emplace_back();
  ++open_;
  auto connection = loop::LocalConnection::open(*loop_, socket_);
  if (!connection.ok()) return lost(index);
  asked_[index].connection = std::move(*connection);
  asked_[index].connection->listen([this, index](const std::string& line) { heard(index, line); }, [this, index] { lost(index); });
  asked_[index].connection->send(call_text(call));
}

void OwnerClient::heard(size_t index, const std::string& line) {
  Result<OwnerNews> news = read_news(line);
  if (!news.ok()) {
    news = OwnerNews();
    news->error = std::make_shared<const Error>(Error(code::k_internal, "the process that owns the store can't be understood"));
  }
  switch (news->kind) {
    case OwnerNews::Kind::accepted: return accepted(index, *news);
    case OwnerNews::Kind::ended: return ended(index, *news);
    case OwnerNews::Kind::refused:
      outcomes_[index].refused = std::make_unique<Error>(*news->error);
      outcomes_[index].over = true;
      return close(index);
    case OwnerNews::Kind::record: {
      RunResult& result = outcomes_[index].result;
      result.records = news->record.seq;
      result.duration_us = std::max<int64_t>(0, news->record.at_us - asked_[index].row.created_us);
      if (progress_ != nullptr) progress_->committed(asked_[index].row, news->record);
      return;
    }
    case OwnerNews::Kind::log:
      if (progress_ != nullptr) progress_->log(news->at_us, news->level, news->text);
      return;
  }
}

void OwnerClient::accepted(size_t index, const OwnerNews& news) {
  Asked& asked = asked_[index];
  bool first = !std::exchange(asked.answered, true);
  asked.row = news.row;
  bool over = store::is_final(news.row.status);
  if (!news.row.workflow.empty()) outcomes_[index].result = result_of(news.row);
  outcomes_[index].result.existed = over;
  if (!news.stays) {
    outcomes_[index].over = true;
    return close(index);
  }
  if (first && progress_ != nullptr && !over) progress_->started(news.row, news.row.last_seq > 1, {});
}

void OwnerClient::ended(size_t index, const OwnerNews& news) {
  RunResult& result = outcomes_[index].result;
  uint64_t records = result.records;
  int64_t duration_us = result.duration_us;
  bool existed = result.existed;
  result = result_of(news.row);
  result.status = news.status;
  result.output = news.output;
  result.error = news.error;
  result.existed = existed;
  if (!existed) {
    result.records = std::max(records, result.records);
    result.duration_us = duration_us;
  }
  outcomes_[index].over = true;
  flow::Ending ending;
  ending.status = news.status;
  ending.output = news.output;
  ending.error = news.error;
  if (progress_ != nullptr && !existed) progress_->ended(news.row, ending);
  close(index);
}

// The owner has gone.
void OwnerClient::lost(size_t index) {
  Outcome& outcome = outcomes_[index];
  if (!asked_[index].answered) {
    outcome.refused = std::make_unique<Error>(code::k_owned, "the process that owned the store went away before it answered; try again");
    outcome.over = true;
  } else {
    outcome.result.status.reset();
    print_err("perilune: the process that executed run " + printable(outcome.result.run) + " has gone; it goes on with\n  " +
              command(options_, "resume", outcome.result.run) + "\n");
  }
  close(index);
}

void OwnerClient::close(size_t index) {
  asked_[index].connection.reset();
  if (--open_ == 0 && waits_) loop_->stop();   // a stop before wait() would end what is still to come
}

Result<void> OwnerClient::signal(const std::string& run, const std::string& name, const std::string& value) {
  ask(SignalCall{run, name, value, new_uuid_v7(loop_->clock().wall_us())}, run);
  return until_answered();
}

Result<void> OwnerClient::answer(const std::string& run, uint64_t question, const std::string& value, const std::string& by) {
  ask(AnswerCall{run, question, value, by}, run);
  return until_answered();
}

Result<void> OwnerClient::until_answered() {
  wait();
  if (outcomes_.back().refused != nullptr) return *outcomes_.back().refused;
  return {};
}

// It computes, or is stopped.
void OwnerClient::tell_of_silence() {
  bool silent = std::any_of(asked_.begin(), asked_.end(), [](const Asked& asked) { return asked.connection != nullptr && !asked.answered; });
  if (silent && !options_.quiet)
    print_err("process " + std::to_string(owner_) + " has the store and has not answered yet; Ctrl-C gives up\n");
}

void OwnerClient::give_up() {
  for (size_t i = 0; i < asked_.size(); ++i) {
    if (asked_[i].answered || outcomes_[i].over) continue;
    outcomes_[i].refused = std::make_unique<Error>(
        code::k_owned, "process " + std::to_string(owner_) + " has the store and has not answered: it may still do what it was asked for");
    outcomes_[i].over = true;
  }
}

bool OwnerClient::wait() {
  waits_ = true;
  loop::TimerId remark = loop_->start_timer(k_remark_us, [this] { tell_of_silence(); });
  if (open_ > 0) loop_->run();
  loop_->stop_timer(remark);
  if (left_) give_up();
  if (progress_ != nullptr) progress_->close();
  if (left_ && !options_.quiet)
    for (const Outcome& outcome : outcomes_)
      if (!outcome.over && !outcome.result.run.empty())
        print_err("run " + printable(outcome.result.run) + " goes on in the process that owns the store\n");
  return !left_;
}

}  // namespace perilune::cli
