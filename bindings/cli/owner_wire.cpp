// Calls and news as JSON; see owner_wire.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/owner_wire.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"

namespace perilune::cli {

using nlohmann::json;

namespace {

constexpr int k_version = 1;

std::string dumped(const json& message) { return message.dump(-1, ' ', false, json::error_handler_t::replace); }

// A script's text may be any bytes.
std::string unpacked(const json& message, const char* name) {
  std::string bytes;
  return base64_decode(message.value(name, ""), bytes) ? bytes : std::string();
}

json order_json(const engine::Order& order) {
  return {{"act", static_cast<int>(order.act)}, {"by", order.by}, {"result", order.result}, {"checkpoint", order.checkpoint}};
}

struct CallWriter {
  json operator()(const StartCall& call) const {
    const engine::StartRequest& request = call.request;
    return {{"call", "start"},           {"file", request.file},         {"text", base64_encode(request.text)},
            {"directory", request.directory}, {"cwd", request.cwd},      {"workflow", request.workflow},
            {"input", request.input},    {"id", request.id},             {"session", request.session}};
  }
  json operator()(const ResumeCall& call) const { return {{"call", "resume"}, {"run", call.run}}; }
  json operator()(const CancelCall& call) const { return {{"call", "cancel"}, {"run", call.run}, {"by", call.by}}; }
  json operator()(const OperateCall& call) const {
    return {{"call", "operate"}, {"run", call.run}, {"order", order_json(call.order)}, {"go_on", call.go_on}};
  }
  json operator()(const ForkCall& call) const {
    return {{"call", "fork"}, {"run", call.run}, {"by", call.order.by}, {"at", call.order.at}, {"input", call.order.input}, {"id", call.order.id}};
  }
  json operator()(const SignalCall& call) const {
    return {{"call", "signal"}, {"run", call.run}, {"name", call.name}, {"value", call.value}, {"id", call.id}};
  }
  json operator()(const ExecutesCall& call) const { return {{"call", "executes"}, {"run", call.run}}; }
  json operator()(const AnswerCall& call) const {
    return {{"call", "answer"}, {"run", call.run}, {"question", call.question}, {"value", call.value}, {"by", call.by}};
  }
};

StartCall read_start(const json& message) {
  StartCall call;
  call.request.file = message.value("file", "");
  call.request.text = unpacked(message, "text");
  call.request.directory = message.value("directory", "");
  call.request.cwd = message.value("cwd", "");
  call.request.workflow = message.value("workflow", "");
  call.request.input = message.value("input", "{}");
  call.request.id = message.value("id", "");
  call.request.session = message.value("session", "");
  return call;
}

OperateCall read_operate(const json& message) {
  json order = message.value("order", json::object());
  OperateCall call{message.value("run", ""), {}, message.value("go_on", false)};
  call.order.act = static_cast<engine::Order::Act>(order.value("act", 0));
  call.order.by = order.value("by", "");
  call.order.result = order.value("result", "null");
  call.order.checkpoint = order.value("checkpoint", "");
  return call;
}

json row_message(const store::RunRow& row) {
  return {{"no", row.no},         {"id", row.id},           {"workflow", row.workflow},   {"version", row.version},
          {"session", row.session}, {"parent", row.parent}, {"status", static_cast<int>(row.status)}, {"last_seq", row.last_seq},
          {"created", row.created_us}, {"updated", row.updated_us}, {"output", row.output}, {"error", row.error}};
}

store::RunRow read_row(const json& message) {
  store::RunRow row;
  row.no = message.value("no", int64_t{0});
  row.id = message.value("id", "");
  row.workflow = message.value("workflow", "");
  row.version = message.value("version", int64_t{0});
  row.session = message.value("session", "");
  row.parent = message.value("parent", "");
  row.status = static_cast<store::Status>(message.value("status", 0));
  row.last_seq = message.value("last_seq", uint64_t{0});
  row.created_us = message.value("created", int64_t{0});
  row.updated_us = message.value("updated", int64_t{0});
  row.output = message.value("output", "");
  row.error = message.value("error", "");
  return row;
}

json record_message(const journal::Record& record) {
  return {{"seq", record.seq}, {"generation", record.generation}, {"kind", static_cast<int>(record.kind)}, {"op", record.op},
          {"task", record.task}, {"name", record.name}, {"at", record.at_us}, {"data", record.data}};
}

journal::Record read_record(const json& message) {
  journal::Record record;
  record.seq = message.value("seq", uint64_t{0});
  record.generation = message.value("generation", 0u);
  record.kind = static_cast<journal::Kind>(message.value("kind", 0));
  record.op = message.value("op", 0u);
  record.task = message.value("task", "");
  record.name = message.value("name", "");
  record.at_us = message.value("at", int64_t{0});
  record.data = message.value("data", "");
  return record;
}

constexpr const char* k_news[] = {"accepted", "refused", "record", "log", "ended"};

}  // namespace

std::string owner_socket_of(const std::string& store_path) {
  struct stat file = {};
  if (stat(store_path.c_str(), &file) != 0) return "perilune/" + store_path;
  return "perilune/" + std::to_string(file.st_dev) + "/" + std::to_string(file.st_ino);
}

std::string call_text(const OwnerCall& call) {
  json message = std::visit(CallWriter(), call);
  message["version"] = k_version;
  return dumped(message);
}

Result<OwnerCall> read_call(const std::string& text) {
  json message = json::parse(text, nullptr, false);
  if (!message.is_object() || message.value("version", 0) != k_version)
    return Error(code::k_usage, "the process that owns the store is of another version: end it first, and try again");
  std::string call = message.value("call", "");
  if (call == "start") return OwnerCall(read_start(message));
  if (call == "resume") return OwnerCall(ResumeCall{message.value("run", "")});
  if (call == "cancel") return OwnerCall(CancelCall{message.value("run", ""), message.value("by", "")});
  if (call == "operate") return OwnerCall(read_operate(message));
  if (call == "fork") {
    engine::ForkOrder order{message.value("by", ""), message.value("at", uint64_t{0}), message.value("input", ""), message.value("id", "")};
    return OwnerCall(ForkCall{message.value("run", ""), std::move(order)});
  }
  if (call == "signal")
    return OwnerCall(SignalCall{message.value("run", ""), message.value("name", ""), message.value("value", "null"), message.value("id", "")});
  if (call == "executes") return OwnerCall(ExecutesCall{message.value("run", "")});
  if (call == "answer")
    return OwnerCall(AnswerCall{message.value("run", ""), message.value("question", uint64_t{0}), message.value("value", "null"), message.value("by", "")});
  return Error(code::k_usage, "the process that owns the store knows no call '" + call + "'");
}

std::string news_text(const OwnerNews& news) {
  json message{{"news", k_news[static_cast<int>(news.kind)]}};
  switch (news.kind) {
    case OwnerNews::Kind::accepted:
      message["row"] = row_message(news.row);
      message["stays"] = news.stays;
      break;
    case OwnerNews::Kind::refused: break;
    case OwnerNews::Kind::record: message["record"] = record_message(news.record); break;
    case OwnerNews::Kind::log:
      message["at"] = news.at_us;
      message["level"] = news.level;
      message["text"] = news.text;
      break;
    case OwnerNews::Kind::ended:
      message["row"] = row_message(news.row);
      message["status"] = static_cast<int>(news.status);
      message["output"] = news.output;
      break;
  }
  if (news.error != nullptr) message["error"] = to_json_text(*news.error);
  return dumped(message);
}

Result<OwnerNews> read_news(const std::string& text) {
  json message = json::parse(text, nullptr, false);
  OwnerNews news;
  std::string name = message.is_object() ? message.value("news", "") : "";
  int kind = 0;
  while (kind < static_cast<int>(std::size(k_news)) && name != k_news[kind]) ++kind;
  if (kind == static_cast<int>(std::size(k_news)))
    return Error(code::k_internal, "the process that owns the store answers what nobody understands: " + text.substr(0, 80));
  news.kind = static_cast<OwnerNews::Kind>(kind);
  if (message.contains("row")) news.row = read_row(message["row"]);
  if (message.contains("record")) news.record = read_record(message["record"]);
  if (message.contains("error")) news.error = std::make_shared<const Error>(error_from_json_text(message.value("error", "")));
  news.stays = message.value("stays", false);
  news.at_us = message.value("at", int64_t{0});
  news.level = message.value("level", "");
  news.text = message.value("text", "");
  news.status = static_cast<store::Status>(message.value("status", 0));
  news.output = message.value("output", "");
  return news;
}

}  // namespace perilune::cli
