// perilune logs: the log lines of a run, as they were written while it went on.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_log.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {
namespace {

using nlohmann::ordered_json;

std::string member(ordered_json& line, const char* name) {
  auto found = line.find(name);
  if (found == line.end() || !found->is_string()) return "";
  std::string text = found->get<std::string>();
  line.erase(found);
  return text;
}

// "2026-11-20T12:01:02.123Z warn: text  key=value"; a line that is none of ours (cut by a crash) as it is.
std::string readable(const std::string& text, const Terminal& terminal) {
  ordered_json line = ordered_json::parse(text, nullptr, false);
  if (!line.is_object()) return printable(text);
  std::string at = member(line, "at"), level = member(line, "level"), words = member(line, "text");
  member(line, "run");
  Paint paint = level == "error" ? Paint::red : level == "warn" ? Paint::yellow : Paint::none;
  std::string out = painted(terminal, Paint::dim, printable(at)) + " " + painted(terminal, paint, printable(level)) +
                    ": " + printable(words);
  for (const auto& [key, value] : line.items()) {
    std::string shown = value.is_string() ? value.get<std::string>()
                                          : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    out += "  " + printable(key) + "=" + printable(shown);
  }
  return out;
}

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

void print_lines(std::FILE* file, bool json) {
  Terminal terminal = terminal_of(STDOUT_FILENO);
  char* line = nullptr;
  size_t capacity = 0;
  for (ssize_t size; (size = getline(&line, &capacity, file)) > 0;) {
    std::string text(line, static_cast<size_t>(size));
    if (text.back() == '\n') text.pop_back();
    if (!json)
      print_out(readable(text, terminal) + "\n");
    else if (ordered_json::accept(text))
      print_out(text + "\n");
  }
  std::free(line);
}

}  // namespace

int verb_logs(const RunViewOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  std::string path = log_path(view->place.logs, row->id);
  std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "re"));
  if (file != nullptr) {
    print_lines(file.get(), options.json);
  } else if (errno != ENOENT) {
    return complain(Error(code::k_io, "cannot read " + path + ": " + std::strerror(errno)));
  } else if (!options.quiet && !options.json) {
    print_err("run " + printable(row->id) + " has logged nothing\n");
  }
  return k_exit_ok;
}

}  // namespace perilune::cli
