// file.read write append lines list stat exists copy move remove glob mkdir temp: files, off the loop.
// Promises: relative paths mean the directory in which the run was started; writes are atomic; what is not there is an
// error "not_found" with the path, but for stat (nil), exists (false) and remove (nothing to do).
// SPDX-License-Identifier: MIT
#include <functional>
#include <nlohmann/json.hpp>

#include "bindings/api/effect_arguments.hpp"
#include "bindings/api/effect_binding.hpp"
#include "bindings/api/tables.hpp"
#include "runtime/effects/file.hpp"

namespace perilune::api {

using effects::Done;
using effects::FileStat;
using flow::EffectStep;
using nlohmann::json;
using Prepared = Result<EffectStep::Start>;

namespace {

constexpr const char* k_nothing = "null";
constexpr std::string_view k_read_options[] = {"limit"};
constexpr std::string_view k_remove_options[] = {"recursive"};

using Work = std::function<Result<std::string>()>;

// The arguments of one call; `work` runs on the pool and must hold all that it uses.
class FileCall {
 public:
  FileCall(const std::string& arguments_json, engine::RunContext& context, const char* call)
      : arguments(arguments_json, call), context_(context) {}

  // Absolute, or relative to the process where the run has no directory.
  std::string path(size_t place, const char* what = "path") {
    std::string text = arguments.text(place, what);
    if (text.empty()) arguments.fail(std::string("the ") + what + " is empty");
    if (text.find('\0') != std::string::npos) arguments.fail(std::string("the ") + what + " contains a NUL");
    return path_in_run(context_, text);
  }

  int64_t read_limit_bytes(size_t place) {
    return arguments.options(place, k_read_options).size_bytes("limit", static_cast<int64_t>(payload_bytes()));
  }

  size_t payload_bytes() const { return context_.settings().payload_bytes; }

  Prepared run(Work work) {
    if (!arguments.ok()) return arguments.take_error();
    const std::string call = arguments.call();
    const size_t limit_bytes = payload_bytes();
    Work whole = [work = std::move(work), call, limit_bytes]() -> Result<std::string> {
      Result<std::string> result = work();
      if (result.ok()) return within_limit(std::move(*result), limit_bytes, call);
      result.error().message = call + ": " + result.error().message;
      return result;
    };
    return EffectStep::Start(
        [&context = context_, whole = std::move(whole)](const task::AttemptContext&, Done<std::string> done) {
          return context.effects().offload().run(whole, std::move(done));
        });
  }

  EffectArguments arguments;

 private:
  engine::RunContext& context_;
};

Result<std::string> nothing_of(Result<void> done) {
  if (!done.ok()) return std::move(done.error());
  return std::string(k_nothing);
}

std::string list_json(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) {
    if (text.size() > 1) text += ',';
    text += quoted_json(item);
  }
  return text + "]";
}

std::string stat_json(const FileStat& stat) {
  const size_t slash = stat.path.find_last_of('/');
  const std::string name = slash == std::string::npos ? stat.path : stat.path.substr(slash + 1);
  return "{\"mode\":" + std::to_string(stat.mode) + ",\"modified\":" + json(stat.modified_s).dump() +
         ",\"name\":" + quoted_json(name) + ",\"size\":" + std::to_string(stat.size) + ",\"type\":\"" + stat.type +
         "\"}";
}

// ---- one function a call

Prepared prepare_read(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.read");
  return call.run([path = call.path(1), limit = call.read_limit_bytes(2)]() -> Result<std::string> {
    Result<std::string> bytes = effects::read_file(path, limit);
    if (!bytes.ok()) return bytes;
    return quoted_json(*bytes);
  });
}

Prepared prepare_lines(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.lines");
  return call.run([path = call.path(1), limit = call.read_limit_bytes(2)]() -> Result<std::string> {
    Result<std::vector<std::string>> lines = effects::read_lines(path, limit);
    if (!lines.ok()) return std::move(lines.error());
    return list_json(*lines);
  });
}

Prepared prepare_write(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.write");
  call.arguments.at_most(2);
  return call.run([path = call.path(1), text = call.arguments.text(2, "text")] {
    return nothing_of(effects::write_file(path, text));
  });
}

Prepared prepare_append(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.append");
  call.arguments.at_most(2);
  return call.run([path = call.path(1), text = call.arguments.text(2, "text")] {
    return nothing_of(effects::append_file(path, text));
  });
}

Prepared prepare_list(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.list");
  call.arguments.at_most(1);
  return call.run([path = call.path(1)]() -> Result<std::string> {
    Result<std::vector<FileStat>> entries = effects::list_directory(path);
    if (!entries.ok()) return std::move(entries.error());
    std::string text = "[";
    for (const FileStat& entry : *entries) {
      if (text.size() > 1) text += ',';
      text += stat_json(entry);
    }
    return text + "]";
  });
}

Result<std::string> stat_or(const std::string& path, const char* absent, std::string (*present)(const FileStat&)) {
  Result<FileStat> stat = effects::stat_file(path);
  if (stat.ok()) return present(*stat);
  if (stat.error().code == code::k_not_found) return std::string(absent);
  return std::move(stat.error());
}

Prepared prepare_stat(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.stat");
  call.arguments.at_most(1);
  return call.run([path = call.path(1)] { return stat_or(path, k_nothing, stat_json); });
}

Prepared prepare_exists(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.exists");
  call.arguments.at_most(1);
  return call.run(
      [path = call.path(1)] { return stat_or(path, "false", [](const FileStat&) { return std::string("true"); }); });
}

Prepared prepare_copy(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.copy");
  call.arguments.at_most(2);
  return call.run([from = call.path(1, "path to copy from"), to = call.path(2, "path to copy to")] {
    return nothing_of(effects::copy_file(from, to));
  });
}

Prepared prepare_move(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.move");
  call.arguments.at_most(2);
  return call.run([from = call.path(1, "path to move from"), to = call.path(2, "path to move to")] {
    return nothing_of(effects::move_file(from, to));
  });
}

Prepared prepare_remove(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.remove");
  const bool recursive = call.arguments.options(2, k_remove_options).boolean("recursive", false);
  return call.run([path = call.path(1), recursive] { return nothing_of(effects::remove_file(path, recursive)); });
}

// The run's directory before a relative pattern: its own stars and brackets mean themselves.
std::string escaped(const std::string& path) {
  std::string out;
  for (char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

Prepared prepare_glob(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.glob");
  call.arguments.at_most(1);
  std::string pattern = call.arguments.text(1, "pattern");
  std::string prefix;  // of what is found, and not shown: a relative pattern finds relative paths
  if (!pattern.empty() && pattern[0] != '/' && !context.facts().cwd.empty()) {
    prefix = context.facts().cwd;
    if (prefix.back() != '/') prefix += '/';
    pattern = escaped(prefix) + pattern;
  }
  return call.run([pattern, prefix]() -> Result<std::string> {
    Result<std::vector<std::string>> found = effects::glob_files(pattern);
    if (!found.ok()) return std::move(found.error());
    for (std::string& path : *found)
      if (path.starts_with(prefix)) path.erase(0, prefix.size());
    return list_json(*found);
  });
}

Prepared prepare_mkdir(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.mkdir");
  call.arguments.at_most(1);
  return call.run([path = call.path(1)] { return nothing_of(effects::make_directory(path)); });
}

Prepared prepare_temp(const std::string& arguments, engine::RunContext& context) {
  FileCall call(arguments, context, "file.temp");
  call.arguments.at_most(0);
  return call.run([]() -> Result<std::string> {
    Result<std::string> path = effects::make_temp_directory("perilune-");
    if (!path.ok()) return path;
    return quoted_json(*path);
  });
}

constexpr EffectKind k_read = {"file.read", prepare_read}, k_lines = {"file.lines", prepare_lines},
                     k_write = {"file.write", prepare_write}, k_append = {"file.append", prepare_append},
                     k_list = {"file.list", prepare_list}, k_stat = {"file.stat", prepare_stat},
                     k_exists = {"file.exists", prepare_exists}, k_copy = {"file.copy", prepare_copy},
                     k_move = {"file.move", prepare_move}, k_remove = {"file.remove", prepare_remove},
                     k_glob = {"file.glob", prepare_glob}, k_mkdir = {"file.mkdir", prepare_mkdir},
                     k_temp = {"file.temp", prepare_temp};

template <const EffectKind& kind>
int l_file(lua_State* L) {
  return call_effect(L, kind);
}

}  // namespace

int open_file(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"read", l_file<k_read>},     {"lines", l_file<k_lines>}, {"write", l_file<k_write>},
      {"append", l_file<k_append>}, {"list", l_file<k_list>},   {"stat", l_file<k_stat>},
      {"exists", l_file<k_exists>}, {"copy", l_file<k_copy>},   {"move", l_file<k_move>},
      {"remove", l_file<k_remove>}, {"glob", l_file<k_glob>},   {"mkdir", l_file<k_mkdir>},
      {"temp", l_file<k_temp>},     {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  return 1;
}

}  // namespace perilune::api
