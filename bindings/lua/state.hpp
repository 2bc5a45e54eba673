// One Lua state: one run's, shared with nobody. Memory is counted and capped, CPU between durable calls is bounded, and
// only what the allow list names is reachable (sandbox.hpp). Everything that a script could learn from its surroundings
// (time, random numbers, object ids, modules, the log) comes through Surroundings, which the run's binding implements.
// Uses nothing of the engine: codec, error objects, sandbox and coroutine library stand on this header alone.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

namespace perilune::lua {

struct StateLimits {
  size_t memory_bytes = 256u << 20;
  int64_t cpu_us = 10'000'000;        // between durable calls
  size_t payload_bytes = 64u << 20;   // of one encoded value
  int depth = 128;                    // nesting of one encoded value
};

struct Module {
  std::string chunk_name;             // "@lib/tax.lua", as in messages
  std::string source;                 // text, never bytecode
};

// What a script sees of the world around it. All calls come on the run's thread, while its Lua code runs.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual double now_s() = 0;                    // os.time, os.clock, os.date and now()
  virtual Random& random() = 0;                  // math.random: of the running task, or of the attempt
  virtual uint64_t next_object_id() = 0;         // tostring(table): of the run, or of the attempt
  // print and log.*: level is "debug" "info" "warn" "error"; fields is a JSON object or empty. Dropped during replay.
  virtual void log(const char* level, std::string_view text, std::string_view fields) = 0;
  virtual Result<Module> find_module(const std::string& name) = 0;   // for require; error says where it was looked for
};

// A reusable token list of a parsed JSON text: parsed first (may allocate C++ memory, cannot raise), pushed then (may
// raise, holds nothing). Owned by the State, so that a raise leaks nothing. Defined in codec.cpp.
class Tape;

class State {
 public:
  // A state with the sandbox's globals and nothing else. Errors: "memory".
  static Result<std::unique_ptr<State>> create(const StateLimits& limits, Surroundings& surroundings);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // The State that a lua_State belongs to (main thread or any coroutine of it).
  static State& of(lua_State* L) { return **static_cast<State**>(lua_getextraspace(L)); }

  lua_State* main() { return main_; }
  Surroundings& surroundings() { return *surroundings_; }
  const StateLimits& limits() const { return limits_; }
  size_t memory_used() const { return used_; }
  size_t memory_peak() const { return peak_; }

  // ---- budget. begin_slice() is called at each resume and each durable call: the CPU clock starts anew.
  void begin_slice();
  // For C functions: `work` (about two nanoseconds each) has been done, or is about to be. Raises the end of the budget
  // from time to time, when it has come. What can run longer than a millisecond in C without charging escapes the budget.
  void charge(lua_State* L, int64_t work) {
    if ((work_left_ -= work) < 0) spend(L);
  }
  // Every coroutine must be watched when it is made (hooks are not inherited from one that is older than the hook).
  void watch(lua_State* coroutine);
  // True when an await may yield here: L can, and so can every coroutine that waits for L (a generator that is called
  // by a sort comparator can yield itself, but its caller could not pass the await on).
  bool can_await(lua_State* L) const;

  // ---- kill: an end that scripts cannot catch. The first one stays. After it every pcall, xpcall, resume, wrap and
  // close re-raises, and the count hook fires at each instruction.
  void kill(const char* code, std::string message);
  bool killed() const { return killed_ != nullptr; }
  const Error& kill_error() const { return *killed_; }
  // Raises the kill sentinel. Never returns.
  [[noreturn]] void raise_killed(lua_State* L);
  // To be called by C functions after every lua_pcallk/lua_resume of script code: a memory error (status LUA_ERRMEM, or
  // the string "not enough memory" on top) kills, and a killed state re-raises. `status` is what the call returned.
  void after_protected_call(lua_State* L, int status);

  // ---- buffers owned here, because a local with a destructor must not stand on the C++ stack across a raise.
  std::string& scratch() { return scratch_; }
  Tape& tape() { return *tape_; }
  // What the files of this room keep per state (state_hidden.hpp); nobody else's business.
  struct Hidden;
  Hidden& hidden() { return *hidden_; }

 private:
  State(const StateLimits& limits, Surroundings& surroundings);
  static void* allocate(void* self, void* block, size_t old_size, size_t new_size) noexcept;
  static void hook(lua_State* L, lua_Debug* debug);
  void spend(lua_State* L);
  void raise_if_spent(lua_State* L);

  StateLimits limits_;
  Surroundings* surroundings_;
  lua_State* main_ = nullptr;
  size_t used_ = 0, peak_ = 0;
  int64_t work_left_ = 0;             // until charge() reads the clock again
  int64_t slice_start_us_ = -1;       // thread CPU time; -1: read at the first hook of the slice
  std::unique_ptr<Error> killed_;
  std::string scratch_;
  std::unique_ptr<Tape> tape_;
  std::unique_ptr<Hidden> hidden_;
};

}  // namespace perilune::lua
