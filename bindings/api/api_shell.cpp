// shell.run{"make", "-j2", cwd=, env=, stdin=, timeout=, check=, rlimits=} and shell.sh("a | b", {...}): processes.
// Promises: run never goes through a shell; any exit code is a result, and only `check` makes an error of one; what the
// program writes goes to the run's log (level debug) line by line while it runs, as well as into the result.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/api/effect_arguments.hpp"
#include "bindings/api/effect_binding.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "runtime/base/units.hpp"

namespace perilune::api {

using effects::Done;
using effects::Effect;
using effects::ProcessResult;
using effects::ProcessSpec;
using flow::EffectStep;
using nlohmann::json;

namespace {

constexpr std::string_view k_options[] = {"cwd", "env", "stdin", "timeout", "check", "rlimits"};
constexpr std::string_view k_rlimits[] = {"cpu", "memory", "files"};
constexpr size_t k_line_max = 8192;                 // a longer line is logged in pieces
constexpr size_t k_message_bytes = 2000;            // of stderr, in the message of a failed check
constexpr size_t k_error_output_bytes = 64 * 1024;  // of each output, in its data

struct Plan {
  const char* call = "";
  ProcessSpec spec;
  int64_t timeout_us = 0;
  bool check = false;
};

// ---- the log

// Cuts what a stream brings into lines.
class LineLog {
 public:
  LineLog(engine::RunContext& context, const char* stream, const std::string& step)
      : context_(context),
        fields_(json{{"stream", stream}, {"step", step}}.dump(-1, ' ', false, json::error_handler_t::replace)) {}

  void add(std::string_view chunk) {
    while (!chunk.empty()) {
      const size_t end = chunk.find('\n');
      partial_.append(chunk.substr(0, std::min(end, chunk.size())));
      while (partial_.size() >= k_line_max) log_piece();
      if (end == std::string_view::npos) return;
      log_rest();
      chunk.remove_prefix(end + 1);
    }
  }
  void end() {
    if (!partial_.empty()) log_rest();
  }

 private:
  void log_rest() {
    if (partial_.ends_with('\r')) partial_.pop_back();
    context_.log("debug", shown_text(partial_), fields_);
    partial_.clear();
  }
  // Between characters, where the text is UTF-8.
  void log_piece() {
    size_t size = k_line_max;
    for (int i = 0; i < 3 && (static_cast<unsigned char>(partial_[size]) & 0xC0) == 0x80; ++i) --size;
    context_.log("debug", shown_text(std::string_view(partial_).substr(0, size)), fields_);
    partial_.erase(0, size);
  }

  engine::RunContext& context_;
  std::string fields_;
  std::string partial_;
};

// ---- the result

std::string_view tail_of(const std::string& text, size_t bytes) {
  size_t start = text.size() > bytes ? text.size() - bytes : 0;
  for (int i = 0; i < 3 && start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80; ++i) ++start;
  return std::string_view(text).substr(start);
}

std::string result_json(const ProcessResult& result, size_t output_bytes) {
  const std::string_view out = tail_of(result.out, output_bytes), err = tail_of(result.err, output_bytes);
  std::string text = "{\"code\":" + std::to_string(result.code);
  text += ",\"duration\":" + json(static_cast<double>(result.duration_us) / 1e6).dump();
  if (result.signal != 0) text += ",\"signal\":" + std::to_string(result.signal);
  text += ",\"stderr\":" + quoted_json(err);
  text += ",\"stdout\":" + quoted_json(out);
  const bool cut = result.truncated || out.size() < result.out.size() || err.size() < result.err.size();
  if (cut) text += ",\"truncated\":true";
  return text + "}";
}

std::string program_of(const Plan& plan) {
  const bool is_shell = std::string_view(plan.call) == "shell.sh";
  return shown_text(is_shell ? plan.spec.argv.back() : plan.spec.argv.front()).substr(0, 200);
}

Error failed_check(const Plan& plan, const ProcessResult& result) {
  std::string message = std::string(plan.call) + ": '" + program_of(plan) + "' ";
  message += result.signal != 0 ? "was ended by signal " + std::to_string(result.signal)
                                : "ended with exit code " + std::to_string(result.code);
  std::string_view output = tail_of(result.err, k_message_bytes);
  while (output.ends_with('\n') || output.ends_with('\r')) output.remove_suffix(1);
  if (!output.empty()) message += ": " + shown_text(output);
  Error error(code::k_exit_status, std::move(message));
  error.data = result_json(result, k_error_output_bytes);
  return error;
}

Result<std::string> outcome_of(const Plan& plan, Result<ProcessResult> result, bool timed_out, size_t limit_bytes) {
  if (timed_out && !result.ok())
    return Error(code::k_timeout, std::string(plan.call) + ": '" + program_of(plan) + "' did not end within " +
                                      format_duration(plan.timeout_us));
  if (!result.ok()) {
    result.error().message = std::string(plan.call) + ": " + result.error().message;
    return std::move(result.error());
  }
  if (plan.check && result->code != 0) return failed_check(plan, *result);
  return within_limit(result_json(*result, SIZE_MAX), limit_bytes, plan.call);
}

// ---- the effect: a process, its time-out and its log

class ShellEffect final : public Effect {
 public:
  ShellEffect(engine::RunContext& context, std::shared_ptr<const Plan> plan, const std::string& step,
              Done<std::string> done)
      : loop_(context.execution().loop()),
        plan_(std::move(plan)),
        limit_bytes_(context.settings().payload_bytes),
        out_(context, "stdout", step),
        err_(context, "stderr", step),
        done_(std::move(done)) {
    ProcessSpec spec = plan_->spec;
    spec.on_output = [this](bool is_stderr, std::string_view chunk) { (is_stderr ? err_ : out_).add(chunk); };
    process_ = context.effects().process().run(std::move(spec),
                                               [this](Result<ProcessResult> result) { end(std::move(result)); });
    if (plan_->timeout_us == 0) return;
    timer_ = loop_.start_timer(plan_->timeout_us, [this] {
      timer_ = 0;
      timed_out_ = true;
      process_->cancel();
    });
  }
  ~ShellEffect() override { loop_.stop_timer(timer_); }

  void cancel() override {
    cancelled_ = true;
    process_->cancel();
  }

 private:
  // The listener may drop this object: nothing of it is used after the call.
  void end(Result<ProcessResult> result) {
    out_.end();
    err_.end();
    loop_.stop_timer(timer_);
    const Done<std::string> done = std::move(done_);
    done(outcome_of(*plan_, std::move(result), timed_out_ && !cancelled_, limit_bytes_));
  }

  loop::Loop& loop_;
  std::shared_ptr<const Plan> plan_;
  size_t limit_bytes_;
  LineLog out_, err_;
  Done<std::string> done_;
  std::unique_ptr<Effect> process_;
  loop::TimerId timer_ = 0;
  bool timed_out_ = false, cancelled_ = false;
};

// ---- arguments

void read_environment(EffectArguments& arguments, EffectOptions& options, ProcessSpec& spec) {
  const json* env = options.find("env");
  if (env == nullptr) return;
  if (env->is_string() && *env == "clean") {
    spec.clean_env = true;
  } else if (env->is_string()) {
    options.wrong("env", "\"clean\" or a table of variables");
  } else {
    spec.env = options.pairs("env");
  }
  for (size_t i = 1; i < spec.env.size(); ++i) {
    if (spec.env[i].first == spec.env[i - 1].first)
      arguments.fail("option 'env': '" + spec.env[i].first + "' must be one text, not a list");
  }
}

Result<EffectStep::Start> prepare(EffectArguments& arguments, Plan plan, engine::RunContext& context) {
  EffectOptions options = arguments.options(2, k_options);
  plan.call = arguments.call();
  const std::string cwd = options.text("cwd");
  plan.spec.cwd = cwd.empty() ? context.facts().cwd : path_in_run(context, cwd);
  plan.spec.stdin_data = options.text("stdin");
  plan.timeout_us = options.duration_us("timeout", 0);
  plan.check = options.boolean("check", false);
  read_environment(arguments, options, plan.spec);
  EffectOptions limits = options.table("rlimits", k_rlimits);
  plan.spec.cpu_s = static_cast<uint64_t>((limits.duration_us("cpu", 0) + 999'999) / 1'000'000);
  plan.spec.memory_bytes = static_cast<uint64_t>(limits.size_bytes("memory", 0));
  plan.spec.open_files = static_cast<uint64_t>(limits.integer("files", 0, 1, 1'000'000));
  if (!arguments.ok()) return arguments.take_error();
  auto shared = std::make_shared<const Plan>(std::move(plan));
  return EffectStep::Start([&context, shared](const task::AttemptContext& attempt, Done<std::string> done) {
    return std::make_unique<ShellEffect>(context, shared, attempt.step, std::move(done));
  });
}

Result<EffectStep::Start> prepare_run(const std::string& arguments_json, engine::RunContext& context) {
  EffectArguments arguments(arguments_json, "shell.run");
  Plan plan;
  if (!arguments.at(1).is_array() || arguments.at(1).empty())
    arguments.fail("there is no program: shell.run{\"make\", \"-j2\", timeout = \"1m\"}");
  for (const json& argument : arguments.at(1)) {
    plan.spec.argv.emplace_back();
    if (!bytes_of(argument, plan.spec.argv.back())) arguments.fail("an argument is not a string");
  }
  return prepare(arguments, std::move(plan), context);
}

Result<EffectStep::Start> prepare_sh(const std::string& arguments_json, engine::RunContext& context) {
  EffectArguments arguments(arguments_json, "shell.sh");
  Plan plan;
  plan.spec.argv = {"/bin/sh", "-c", arguments.text(1, "command line")};
  return prepare(arguments, std::move(plan), context);
}

constexpr EffectKind k_run = {"shell.run", prepare_run};
constexpr EffectKind k_sh = {"shell.sh", prepare_sh};

// Puts a list of the program and its arguments, and a table of the options, in place of the one table of the call.
void split_table(lua_State* L) {
  enum Place { call = 1, argv = 2, options = 3, key = 4, value = 5 };
  lua_settop(L, call);
  lua_createtable(L, 4, 0);
  lua::tag_array(L, argv);
  lua_createtable(L, 0, 4);
  lua_Integer count = 0, last = 0;
  for (lua_pushnil(L); lua_next(L, call) != 0; lua_settop(L, key)) {
    lua_pushvalue(L, key);
    lua_insert(L, value);  // key, key, value
    if (lua_type(L, key) == LUA_TSTRING) {
      lua_rawset(L, options);
      continue;
    }
    if (lua_isinteger(L, key) == 0 || lua_tointeger(L, key) < 1)
      lua::raise_usage(L, code::k_usage,
                       "shell.run: arguments are numbered from 1 and options have names, but there is "
                       "something under a %s",
                       luaL_typename(L, key));
    const int type = lua_type(L, value + 1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      lua::raise_usage(L, code::k_usage, "shell.run: argument %lld must be a string or a number, not a %s",
                       static_cast<long long>(lua_tointeger(L, key)), lua_typename(L, type));
    lua_tolstring(L, value + 1, nullptr);
    ++count;
    last = std::max(last, lua_tointeger(L, key));
    lua_rawset(L, argv);
  }
  if (last != count)
    lua::raise_usage(L, code::k_usage, "shell.run: an argument before number %lld is nil",
                     static_cast<long long>(last));
  lua_settop(L, options);
  lua_remove(L, call);
}

int l_run(lua_State* L) {
  if (lua_gettop(L) != 1 || lua_type(L, 1) != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage,
                     "shell.run takes one table, the program with its arguments and the options: "
                     "shell.run{\"make\", \"-j2\", timeout = \"1m\"}; for a line of shell there is shell.sh");
  split_table(L);
  return call_effect(L, k_run);
}

int l_sh(lua_State* L) { return call_effect(L, k_sh); }

}  // namespace

int open_shell(lua_State* L) {
  static const luaL_Reg k_functions[] = {{"run", l_run}, {"sh", l_sh}, {nullptr, nullptr}};
  luaL_newlib(L, k_functions);
  return 1;
}

}  // namespace perilune::api
