// See history_file.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/history_file.hpp"

#include <nlohmann/json.hpp>

#include "bindings/lua/utf8_text.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/json_nesting.hpp"

namespace perilune::cli {

using journal::Record;
using nlohmann::json;
using nlohmann::ordered_json;
using store::RunRow;

namespace {

constexpr int k_version = 1;

bool is_utf8(const std::string& text) {
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    size_t size = static_cast<unsigned char>(*at) < 0x80 ? 1 : lua::utf8_sequence(at, end);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

ordered_json packed(const std::string& text) {
  if (is_utf8(text)) return text;
  return {{"$bytes", base64_encode(text)}};
}

// Throws json's type errors where a member is missing or something else: read() turns them into words.
std::string unpacked(const json& object, const char* name) {
  const json& member = object.at(name);
  if (member.is_string()) return member.get<std::string>();
  std::string bytes;
  if (!base64_decode(member.at("$bytes").get<std::string>(), bytes)) throw json::other_error::create(501, "no base64", &member);
  return bytes;
}

ordered_json run_object(const RunRow& row, size_t records) {
  return {{"id", row.id}, {"workflow", packed(row.workflow)}, {"version", row.version}, {"bundle", row.bundle},
          {"session", packed(row.session)}, {"parent", row.parent}, {"status", store::status_name(row.status)},
          {"created_us", row.created_us}, {"updated_us", row.updated_us}, {"wake_us", row.wake_us}, {"input", packed(row.input)},
          {"output", packed(row.output)}, {"error", packed(row.error)}, {"records", records}};
}

// The fingerprint is all of 64 bits, which a reader of JSON may round.
ordered_json record_object(const Record& record) {
  return {{"seq", record.seq}, {"generation", record.generation}, {"kind", journal::kind_name(record.kind)}, {"task", record.task},
          {"op", record.op}, {"name", packed(record.name)}, {"fingerprint", std::to_string(record.fingerprint)},
          {"at_us", record.at_us}, {"data", packed(record.data)}};
}

RunRow row_of(const json& object) {
  RunRow row;
  row.id = object.at("id").get<std::string>();
  row.workflow = unpacked(object, "workflow");
  row.version = object.at("version").get<int64_t>();
  row.bundle = object.at("bundle").get<std::string>();
  row.session = unpacked(object, "session");
  row.parent = object.at("parent").get<std::string>();
  std::optional<store::Status> status = store::status_from_name(object.at("status").get<std::string>());
  if (!status) throw json::other_error::create(501, "an unknown status", &object);
  row.status = *status;
  row.created_us = object.at("created_us").get<int64_t>();
  row.updated_us = object.at("updated_us").get<int64_t>();
  row.wake_us = object.at("wake_us").get<int64_t>();
  row.input = unpacked(object, "input");
  row.output = unpacked(object, "output");
  row.error = unpacked(object, "error");
  return row;
}

Record record_of(const json& object) {
  Record record;
  record.seq = object.at("seq").get<uint64_t>();
  record.generation = object.at("generation").get<uint32_t>();
  std::optional<journal::Kind> kind = journal::kind_from_name(object.at("kind").get<std::string>());
  if (!kind) throw json::other_error::create(501, "an unknown kind of record: a newer perilune wrote it", &object);
  record.kind = *kind;
  record.task = object.at("task").get<std::string>();
  record.op = object.at("op").get<uint32_t>();
  record.name = unpacked(object, "name");
  record.fingerprint = std::stoull(object.at("fingerprint").get<std::string>());
  record.at_us = object.at("at_us").get<int64_t>();
  record.data = unpacked(object, "data");
  return record;
}

}  // namespace

HistoryWriter::HistoryWriter(std::function<void(std::string_view)> write) : write_(std::move(write)) {
  write_(ordered_json{{"perilune", "history"}, {"version", k_version}}.dump());
}

void HistoryWriter::run(const RunRow& row, const std::vector<Record>& records, const std::string& content) {
  if (bundles_.insert(row.bundle).second) write_(ordered_json{{"bundle", {{"hash", row.bundle}, {"content", packed(content)}}}}.dump());
  std::string all;
  auto put = [&](const ordered_json& object) {
    std::string line = object.dump();
    write_(line);
    all = sha256_hex(all + line);
  };
  put({{"run", run_object(row, records.size())}});
  for (const Record& record : records) put({{"record", record_object(record)}});
  write_(ordered_json{{"end", {{"run", row.id}, {"sha256", all}}}}.dump());
}

Error HistoryReader::wrong(const std::string& what) const {
  return Error(code::k_validation, "line " + std::to_string(line_) + " of the history: " + what);
}

// An empty line is none.
Result<bool> HistoryReader::read_line(std::string& line) {
  do {
    if (!next_(line)) return false;
    ++line_;
  } while (line.empty());
  return true;
}

Result<void> HistoryReader::read_head() {
  std::string line;
  Result<bool> more = read_line(line);
  if (!more.ok()) return more.error();
  json head = *more ? json::parse(line, nullptr, false) : json();
  if (!head.is_object() || head.value("perilune", json()) != "history")
    return Error(code::k_validation, "this is no history: its first line is not {\"perilune\":\"history\", ...}");
  if (head.value("version", json()) != k_version)
    return wrong("version " + head.value("version", json()).dump() + " of the format; this perilune reads version " + std::to_string(k_version));
  return {};
}

Result<std::optional<ReadRun>> HistoryReader::read() {
  if (line_ == 0)
    if (Result<void> head = read_head(); !head.ok()) return head.error();
  for (std::string line;;) {
    Result<bool> more = read_line(line);
    if (!more.ok()) return more.error();
    if (!*more) return std::optional<ReadRun>();
    try {
      json object = json::parse(line);
      if (object.contains("run")) {
        Result<ReadRun> run = read_run(line);
        if (!run.ok()) return run.error();
        return std::optional<ReadRun>(std::move(*run));
      }
      std::string hash = object.at("bundle").at("hash").get<std::string>(), content = unpacked(object.at("bundle"), "content");
      if (sha256_hex(content) != hash) return wrong("the code is not that of its hash");
      bundles_[hash] = std::move(content);
    } catch (const json::exception& problem) {
      return wrong(problem.what());
    }
  }
}

Result<ReadRun> HistoryReader::read_run(const std::string& first) {
  try {
    json object = json::parse(first).at("run");
    ReadRun read;
    read.run.row = row_of(object);
    read.run.copied = true;
    const RunRow& row = read.run.row;
    if (!is_run_id(row.id)) return wrong("'" + row.id.substr(0, 60) + "' can't be the id of a run");
    auto code = bundles_.find(row.bundle);
    if (code == bundles_.end()) return wrong("the code of run '" + row.id + "' is not in the file");
    read.bundle = code->second;
    std::string all = sha256_hex(first), line;
    uint64_t last_seq = 0;
    for (int64_t left = object.at("records").get<int64_t>(); left > 0; --left) {
      Result<bool> more = read_line(line);
      if (!more.ok()) return more.error();
      if (!*more) return wrong("the file ends within run '" + row.id + "'");
      Record record = record_of(json::parse(line).at("record"));
      if (record.seq <= last_seq) return wrong("record " + std::to_string(record.seq) + " comes behind record " + std::to_string(last_seq));
      last_seq = record.seq;
      read.run.records.push_back(std::move(record));
      all = sha256_hex(all + line);
    }
    Result<bool> more = read_line(line);
    if (!more.ok()) return more.error();
    if (!*more) return wrong("the file ends within run '" + row.id + "'");
    json end = json::parse(line).at("end");
    if (end.at("run") != row.id || end.at("sha256") != all) return wrong("run '" + row.id + "' is not as it was written");
    if (read.run.records.empty() || read.run.records.front().kind != journal::Kind::run_started)
      return wrong("run '" + row.id + "' does not begin with its start");
    return read;
  } catch (const std::exception& problem) {   // of json, or of a number
    return wrong(problem.what());
  }
}

}  // namespace perilune::cli
