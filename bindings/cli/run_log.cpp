// See run_log.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bindings/cli/json_text.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/clock.hpp"

namespace perilune::cli {
namespace {

constexpr size_t k_name_bytes_max = 200;

constexpr std::string_view k_own_members[] = {"\"at\":", "\"level\":", "\"run\":", "\"text\":"};

bool hides_a_member(std::string_view fields) {
  return std::any_of(std::begin(k_own_members), std::end(k_own_members),
                     [fields](std::string_view member) { return fields.find(member) != std::string_view::npos; });
}

bool is_plain(char c, bool first) {
  return isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || (c == '.' && !first);
}

}  // namespace

std::string log_line(const std::string& run, int64_t at_us, std::string_view level, std::string_view text,
                     std::string_view fields) {
  JsonText json;
  json.open_object();
  json.key("at").text(rfc3339(at_us)).key("level").text(level).key("run").text(run).key("text").text(text);
  if (fields.size() > 2 && fields.front() == '{') {
    if (!hides_a_member(fields)) return json.take() + "," + std::string(fields.substr(1));
    json.key("fields").raw(fields);
  }
  return json.close_object().take();
}

std::string log_path(const std::string& directory, const std::string& run) {
  std::string name;
  for (char c : run) {
    char text[4];
    std::snprintf(text, sizeof text, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (is_plain(c, name.empty()))
      name += c;
    else
      name += text;
  }
  return directory + "/" + name.substr(0, k_name_bytes_max) + ".jsonl";
}

RunLog::~RunLog() {
  for (auto& [run, file] : files_)
    if (file >= 0) ::close(file);
}

int RunLog::file_of(const std::string& run) {
  auto [found, fresh] = files_.try_emplace(run, -1);
  if (!fresh) return found->second;
  std::string path = log_path(directory_, run);
  if (mkdir(directory_.c_str(), 0777) == 0 || errno == EEXIST)
    found->second = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (found->second < 0 && !complained_) {
    complained_ = true;
    print_err("perilune: warning: log lines are not kept: " + path + ": " + std::strerror(errno) + "\n");
  }
  return found->second;
}

void RunLog::write(const std::string& run, int64_t at_us, std::string_view level, std::string_view text,
                   std::string_view fields) {
  if (directory_.empty()) return;
  int file = file_of(run);
  if (file >= 0) write_all(file, log_line(run, at_us, level, text, fields) + "\n");
}

void RunLog::close(const std::string& run) {
  auto found = files_.find(run);
  if (found == files_.end()) return;
  if (found->second >= 0) ::close(found->second);
  files_.erase(found);
}

}  // namespace perilune::cli
