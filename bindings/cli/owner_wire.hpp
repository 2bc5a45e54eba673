// What the process that owns a store and one that wants something of it say to each other: lines of JSON over the store's
// socket. A caller sends one call; the owner answers `accepted` (the run is on disk, or what was asked for is) or `refused`,
// then what happens to the run while the caller listens, then `ended` with how it stands.
// Both must be of one version: they are the same program as a rule.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <variant>

#include "runtime/engine/engine.hpp"
#include "runtime/engine/operator.hpp"

namespace perilune::cli {

// The name under which the owner of the store in this file listens: by the file itself, whatever its path is.
std::string owner_socket_of(const std::string& store_path);

struct StartCall {
  engine::StartRequest request;
};
struct ResumeCall {
  std::string run;
};
struct CancelCall {
  std::string run, by;
};
struct OperateCall {
  std::string run;
  engine::Order order;
  bool go_on = false;
};
struct ForkCall {
  std::string run;
  engine::ForkOrder order;
};
struct SignalCall {
  std::string run, name, value, id;
};
// Whether the owner executes the run: the answer is `accepted`, and `stays` says it. Changes nothing.
struct ExecutesCall {
  std::string run;
};
struct AnswerCall {
  std::string run;
  uint64_t question = 0;   // the seq of its record
  std::string value, by;
};
using OwnerCall = std::variant<StartCall, ResumeCall, CancelCall, OperateCall, ForkCall, SignalCall, AnswerCall, ExecutesCall>;

std::string call_text(const OwnerCall& call);
// Errors: "usage" (another version, or no call).
Result<OwnerCall> read_call(const std::string& text);

struct OwnerNews {
  enum class Kind : uint8_t { accepted, refused, record, log, ended };
  Kind kind = Kind::refused;
  store::RunRow row;            // accepted, ended: as it is then
  bool stays = false;           // accepted: more will come
  std::shared_ptr<const Error> error;   // refused, ended
  journal::Record record;
  int64_t at_us = 0;            // log
  std::string level, text;
  store::Status status = store::Status::running;   // ended
  std::string output;
};
std::string news_text(const OwnerNews& news);
Result<OwnerNews> read_news(const std::string& text);

}  // namespace perilune::cli
