// The floor of W2: runs as bare Lua states on one thread, a committer with plain SQLite on another, two queues between.
//
//   worker: resume -> row -> outbox --(256 rows, or nothing left to do)--> committer: one transaction -> inbox ->
//   worker
//
// SPDX-License-Identifier: MIT
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/bench/bare_database.hpp"
#include "tests/bench/raw_limits.hpp"

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

namespace perilune::bench {
namespace {

constexpr size_t k_hand_over_rows = 256;
constexpr int k_loaded_checkpoint_pages = 16000;
enum : int { k_run_started = 1, k_step_done = 11, k_run_done = 43 };

constexpr const char* k_script =
    "local step = step\n"
    "return function(n)\n"
    "  local sum = 0\n"
    "  for i = 1, n do sum = sum + step(function() return { i = i, ok = true } end).i end\n"
    "  return sum\n"
    "end";

struct Row {
  int64_t run;
  int64_t seq;
  int kind;
  std::string data;
};
using Rows = std::vector<Row>;

class Queue {
 public:
  void put(Rows& rows) {
    if (rows.empty()) return;
    {
      std::lock_guard lock(mutex_);
      if (rows_.empty())
        rows_.swap(rows);
      else
        rows_.insert(rows_.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    }
    rows.clear();
    filled_.notify_one();
  }
  // False when the queue is closed and empty.
  bool take(Rows& rows) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !rows_.empty() || closed_; });
    rows.clear();
    rows.swap(rows_);
    return !rows.empty();
  }
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  Rows rows_;
  bool closed_ = false;
};

void commit_all(BareDatabase& db, Queue& from, Queue& to) {
  Rows rows;
  while (from.take(rows)) {
    db.begin();
    for (const Row& row : rows) {
      if (row.kind == k_run_started) db.insert_run(row.run);
      db.insert_record(row.run, row.seq, row.kind, row.data);
      if (row.kind == k_run_done) db.end_run(row.run);
    }
    db.commit();
    to.put(rows);
  }
}

// step(body): calls the body and yields what it returned as JSON text.
int l_step(lua_State* L) {
  lua_settop(L, 1);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "i");
  char text[64];
  int length = snprintf(text, sizeof text, "{\"i\":%lld,\"ok\":true}", static_cast<long long>(lua_tointeger(L, -1)));
  lua_settop(L, 0);
  lua_pushlstring(L, text, static_cast<size_t>(length));
  return lua_yield(L, 1);
}

int append_code(lua_State*, const void* bytes, size_t size, void* out) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return 0;
}

std::string compile() {
  lua_State* L = luaL_newstate();
  std::string code;
  if (luaL_loadstring(L, k_script) != LUA_OK) fail(lua_tostring(L, -1));
  lua_dump(L, append_code, &code, 0);
  lua_close(L);
  return code;
}

class Floor {
 public:
  Floor(int runs, int steps, int at_once) : states_(static_cast<size_t>(runs) + 1), steps_(steps), at_once_(at_once) {}

  void work(Queue& out, Queue& in) {
    Rows rows, answered;
    start_more(rows);
    out.put(rows);
    while (ended_ < static_cast<int>(states_.size()) - 1 && in.take(answered)) {
      for (const Row& row : answered) {
        if (row.kind == k_run_done)
          ++ended_;
        else
          go_on(row, rows);
        if (rows.size() >= k_hand_over_rows) out.put(rows);
      }
      start_more(rows);
      out.put(rows);
    }
  }

 private:
  struct State {
    lua_State* L = nullptr;
    lua_State* thread = nullptr;
  };

  void start_more(Rows& rows) {
    while (started_ - ended_ < at_once_ && started_ < static_cast<int>(states_.size()) - 1) {
      ++started_;
      rows.push_back({started_, 1, k_run_started, "{\"workflow\":\"bench\",\"input\":{\"n\":10}}"});
    }
  }

  void open(State& state) {
    state.L = luaL_newstate();
    const luaL_Reg libraries[] = {{"_G", luaopen_base},   {"string", luaopen_string}, {"table", luaopen_table},
                                  {"math", luaopen_math}, {"utf8", luaopen_utf8},     {"coroutine", luaopen_coroutine}};
    for (const luaL_Reg& library : libraries) {
      luaL_requiref(state.L, library.name, library.func, 1);
      lua_pop(state.L, 1);
    }
    lua_register(state.L, "step", l_step);
    if (luaL_loadbufferx(state.L, code_.data(), code_.size(), "bench", "b") != LUA_OK) fail(lua_tostring(state.L, -1));
    lua_call(state.L, 0, 1);
    state.thread = lua_newthread(state.L);
    lua_insert(state.L, 1);
    lua_xmove(state.L, state.thread, 1);
    lua_pushinteger(state.thread, steps_);
  }

  void go_on(const Row& row, Rows& rows) {
    State& state = states_[static_cast<size_t>(row.run)];
    if (row.kind == k_run_started) {
      open(state);
    } else {
      lua_createtable(state.thread, 0, 2);
      lua_pushinteger(state.thread, row.seq - 1);
      lua_setfield(state.thread, -2, "i");
      lua_pushboolean(state.thread, 1);
      lua_setfield(state.thread, -2, "ok");
    }
    int count = 0;
    int status = lua_resume(state.thread, state.L, 1, &count);
    if (status == LUA_YIELD) {
      std::string data = "{\"started\":1700000000000000,\"attempt\":1,\"value\":";
      data.append(lua_tostring(state.thread, -1)) += '}';
      lua_pop(state.thread, count);
      rows.push_back({row.run, row.seq + 1, k_step_done, std::move(data)});
    } else if (status == LUA_OK) {
      lua_close(state.L);
      rows.push_back({row.run, row.seq + 1, k_run_done, "{\"value\":1}"});
    } else {
      fail(lua_tostring(state.thread, -1));
    }
  }

  std::vector<State> states_;  // by the run's number, from 1
  std::string code_ = compile();
  int steps_;
  int at_once_;
  int started_ = 0;
  int ended_ = 0;
};

}  // namespace

double floor_steps_per_s(const std::string& directory, int runs, int steps, int at_once) {
  ScratchDirectory scratch(directory);
  BareDatabase db(scratch.file("floor.db"), k_loaded_checkpoint_pages);
  Queue to_commit, committed;
  Floor floor(runs, steps, at_once);
  std::thread committer([&] { commit_all(db, to_commit, committed); });
  double began_s = seconds();
  floor.work(to_commit, committed);
  double took_s = seconds() - began_s;
  to_commit.close();
  committer.join();
  return runs * static_cast<double>(steps) / took_s;
}

}  // namespace perilune::bench
