// Reading, wrapping and running attempts; see attempts.hpp.
// SPDX-License-Identifier: MIT
#include "tests/sandbox/attempts.hpp"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bindings/api/api.hpp"
#include "bindings/lua/host.hpp"
#include "bindings/lua/state.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "runtime/store/memory_store.hpp"

namespace perilune::sandbox {
namespace {

constexpr const char* k_beside_script =
    "local out = {} for i = 1, 7 do sleep(0.001) out[i] = step('c' .. i, function() return ('%d'):format(i) end) end "
    "return table.concat(out)";

void read_file(const std::filesystem::path& path, std::vector<Attempt>& attempts) {
  std::ifstream file(path);
  Attempt* now = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("--@ ")) {
      if (now != nullptr) now->code += line + "\n";
      continue;
    }
    std::istringstream words(line.substr(4));
    std::string kind;
    now = &attempts.emplace_back();
    if (!(words >> now->number >> kind) || std::string("REKD").find(kind) == std::string::npos) {
      throw std::runtime_error(path.string() + ": not the head of an attempt: " + line);
    }
    std::getline(words >> std::ws, now->verdicts);
  }
}

// The attempt as a workflow. Its first durable call keeps it from running while the file is only looked at.
std::string wrap(const Attempt& attempt, Context context) {
  const std::string head = "sleep(0.0025) local function attempt()\n" + attempt.code + "\nend\n";
  switch (context) {
    case Context::body:
      return head + "return attempt()";
    case Context::coroutine:
      return head + "return coroutine.wrap(attempt)()";
    case Context::metamethod:
      return head + "return setmetatable({}, { __index = function() return attempt() end }).x";
    default:
      return head +
             "local result do local c <close> = setmetatable({}, { __close = function() result = attempt() end }) end "
             "return result";
  }
}

void open_incremental(lua_State* L) { api::open(L); }

void open_generational(lua_State* L) {
  lua_gc(L, LUA_GCGEN, 0, 0);
  api::open(L);
}

size_t heap_bytes() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

std::string text_of(const flow::Ending& ending) {
  if (!ending.error) return "returns " + ending.output;
  const std::string& code = ending.error->code;
  if (code == code::k_budget || code == code::k_memory) return "killed " + code;
  return "raises " + ending.error->message;
}

void start(engine::Engine& engine, const std::string& id, const std::string& script, std::string& text) {
  engine::StartRequest request;
  request.file = id + ".lua";
  request.text = script;
  request.id = id;
  engine.start(
      std::move(request),
      [&text](Result<store::RunRow> row) {
        if (!row.ok()) text = "refused " + row.error().message;
      },
      [&text](const store::RunRow&, const flow::Ending& ending) { text = text_of(ending); });
}

bool is_one(const std::string& verdict, const Attempt& attempt, const std::string& ending,
            std::map<int, std::string>& seen) {
  if (verdict == "listed") return LUA_VERSION_RELEASE_NUM <= 50404 && ending != "never ended";
  if (verdict == "same") {
    return ending.starts_with("returns ") && seen.try_emplace(attempt.number, ending).first->second == ending;
  }
  if (verdict.starts_with("raises ")) {
    return ending.starts_with("raises ") && ending.find(verdict.substr(7)) != ending.npos;
  }
  return verdict == ending;
}

}  // namespace

const char* name_of(Context context) {
  static constexpr const char* k_names[] = {"body", "coroutine", "metamethod", "__close"};
  return k_names[int(context)];
}

std::vector<Attempt> read_attempts() {
  std::vector<Attempt> attempts;
  for (const auto& entry : std::filesystem::directory_iterator(PERILUNE_SOURCE_DIR "/tests/sandbox/attempts")) {
    read_file(entry.path(), attempts);
  }
  std::sort(attempts.begin(), attempts.end(), [](const Attempt& a, const Attempt& b) { return a.number < b.number; });
  return attempts;
}

Ending make(const Attempt& attempt, Context context, bool generational, const engine::Settings& settings) {
  Ending ending{"never ended", "never ended", 0};
  const size_t before = heap_bytes();
  {
    loop::SimLoop loop(1'700'000'000'000'000);
    store::MemoryOptions memory;
    memory.disk = store::make_memory_disk();
    memory.commit_delay_us = [] { return 100; };
    auto store = store::make_memory_store(std::move(memory));
    auto host = lua::make_lua_host(generational ? open_generational : open_incremental);
    engine::Engine::Options options;
    options.loop = &loop;
    options.store = store.get();
    options.host = host.get();
    options.settings = settings;
    options.builtin_modules = lua::stdlib_modules();
    engine::Engine engine(std::move(options));
    start(engine, "attempt", wrap(attempt, context), ending.text);
    start(engine, "beside", k_beside_script, ending.beside);
    loop.run();
  }
  const size_t after = heap_bytes();
  ending.kept_bytes = after > before ? after - before : 0;
  if (ending.beside.starts_with("returns ")) ending.beside = ending.beside.substr(8);
  return ending;
}

bool fits(const Attempt& attempt, const std::string& ending, std::map<int, std::string>& seen) {
  const std::string& all = attempt.verdicts;
  for (size_t from = 0; from <= all.size();) {
    const size_t bar = std::min(all.find(" | ", from), all.size());
    if (is_one(all.substr(from, bar - from), attempt, ending, seen)) return true;
    from = bar + 3;
  }
  return false;
}

}  // namespace perilune::sandbox
