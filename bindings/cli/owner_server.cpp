// Calls of other processes, carried out here; see owner_server.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/owner_server.hpp"

#include <algorithm>

namespace perilune::cli {

using store::RunRow;

namespace {
constexpr int64_t k_patience_us = 5'000'000;   // with a guest that has heard all and does not go
}

std::unique_ptr<OwnerServer> OwnerServer::open(loop::Loop& loop, const std::string& path, engine::Engine& engine,
                                               std::function<void(int)> count) {
  std::unique_ptr<OwnerServer> server(new OwnerServer(loop, engine, std::move(count)));
  auto listener = loop::LocalListener::open(loop, path, [raw = server.get()](std::unique_ptr<loop::LocalConnection> connection) {
    raw->connected(std::move(connection));
  });
  if (!listener.ok()) return nullptr;
  server->listener_ = std::move(*listener);
  return server;
}

OwnerServer::~OwnerServer() {
  for (const GuestRef& guest : guests_) {
    loop_.stop_timer(guest->patience);
    guest->connection.reset();
  }
}

void OwnerServer::connected(std::unique_ptr<loop::LocalConnection> connection) {
  auto guest = std::make_shared<Guest>();
  guest->connection = std::move(connection);
  guests_.push_back(guest);
  guest->connection->listen([this, guest](const std::string& line) { called(guest, line); }, [this, guest] { gone(guest); });
}

void OwnerServer::called(const GuestRef& guest, const std::string& text) {
  Result<OwnerCall> call = read_call(text);
  if (!call.ok()) return refuse(guest, call.error());
  carry_out(guest, std::move(*call));
}

void OwnerServer::carry_out(const GuestRef& guest, OwnerCall call) {
  auto begun = [this, guest](const Result<RunRow>& row) { row.ok() ? accept(guest, *row, true) : refuse(guest, row.error()); };
  auto over = [this, guest](const RunRow& row, const flow::Ending& ending) { ended(guest, row, ending); };
  auto then_resume = [this, guest, begun, over](const Result<RunRow>& row) {
    if (!row.ok()) return refuse(guest, row.error());
    engine_.resume(row->id, begun, over);
  };
  if (auto* start = std::get_if<StartCall>(&call)) return engine_.start(std::move(start->request), begun, over);
  if (auto* resume = std::get_if<ResumeCall>(&call)) return engine_.resume(resume->run, begun, over);
  if (auto* fork = std::get_if<ForkCall>(&call)) return engine_.fork(fork->run, fork->order, then_resume);
  if (auto* cancel = std::get_if<CancelCall>(&call)) {
    auto cancels = [this, begun, run = cancel->run, by = cancel->by](const Result<RunRow>& row) {
      begun(row);
      if (row.ok()) engine_.cancel(run, by);
    };
    return engine_.resume(cancel->run, cancels, over);
  }
  if (auto* operate = std::get_if<OperateCall>(&call)) {
    auto settled = [this, guest](const Result<RunRow>& row) { row.ok() ? accept(guest, *row, false) : refuse(guest, row.error()); };
    if (operate->go_on) return engine_.operate(operate->run, operate->order, then_resume);
    return engine_.operate(operate->run, operate->order, settled);
  }
  if (auto* executes = std::get_if<ExecutesCall>(&call)) {
    OwnerNews news;
    news.kind = OwnerNews::Kind::accepted;
    news.row.id = executes->run;
    news.stays = engine_.executes(executes->run);
    return guest->connection->send(news_text(news));
  }
  auto stored = [this, guest](const std::string& run) {
    return [this, guest, run](const Result<void>& result) {
      RunRow row;
      row.id = run;
      result.ok() ? accept(guest, row, false) : refuse(guest, result.error());
    };
  };
  if (auto* answer = std::get_if<AnswerCall>(&call))
    return engine_.answer(answer->run, {answer->question, answer->value, answer->by, stored(answer->run)});
  auto& signal = std::get<SignalCall>(call);
  engine_.signal(signal.run, signal.name, signal.value, signal.id, stored(signal.run));
}

void OwnerServer::accept(const GuestRef& guest, const RunRow& row, bool stays) {
  OwnerNews news;
  news.kind = OwnerNews::Kind::accepted;
  news.row = row;
  news.stays = stays;
  if (stays && !guest->counted) {
    guest->run = row.id;
    guest->counted = true;
    count_(+1);
  }
  if (guest->connection != nullptr) guest->connection->send(news_text(news));
}

void OwnerServer::refuse(const GuestRef& guest, const Error& error) {
  OwnerNews news;
  news.kind = OwnerNews::Kind::refused;
  news.error = std::make_shared<const Error>(error);
  if (guest->connection != nullptr) guest->connection->send(news_text(news));
}

void OwnerServer::ended(const GuestRef& guest, const RunRow& row, const flow::Ending& ending) {
  OwnerNews news;
  news.kind = OwnerNews::Kind::ended;
  news.row = row;
  news.status = ending.status;
  news.output = ending.output;
  news.error = ending.error;
  if (!guest->counted) accept(guest, row, true);   // it was over before: nothing had begun
  if (guest->connection == nullptr) return discharge(guest);
  guest->connection->send(news_text(news));
  guest->patience = loop_.start_timer(k_patience_us, [this, guest] {
    guest->patience = 0;
    gone(guest);
  });
}

// A guest that goes before its run is over leaves the run to us.
void OwnerServer::gone(const GuestRef& guest) {
  bool heard = guest->patience != 0 || guest->run.empty();
  loop_.stop_timer(std::exchange(guest->patience, 0));
  guest->connection.reset();
  std::erase(guests_, guest);
  if (heard || !guest->counted) discharge(guest);
}

void OwnerServer::discharge(const GuestRef& guest) {
  if (std::exchange(guest->counted, false)) count_(-1);
}

void OwnerServer::tell(const std::string& run, const OwnerNews& news) {
  std::string text;
  for (const GuestRef& guest : guests_) {
    if (guest->run != run || guest->connection == nullptr) continue;
    if (text.empty()) text = news_text(news);
    guest->connection->send(text);
  }
}

void OwnerServer::committed(const RunRow& row, const journal::Record& record) {
  if (guests_.empty()) return;
  OwnerNews news;
  news.kind = OwnerNews::Kind::record;
  news.record = record;
  tell(row.id, news);
}

void OwnerServer::log(const RunRow& row, int64_t at_us, std::string_view level, std::string_view text) {
  if (guests_.empty()) return;
  OwnerNews news;
  news.kind = OwnerNews::Kind::log;
  news.at_us = at_us;
  news.level = level;
  news.text = text;
  tell(row.id, news);
}

}  // namespace perilune::cli
