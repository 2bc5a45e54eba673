// See world.hpp.
// SPDX-License-Identifier: MIT
#include "tests/bench/world.hpp"

#include "bindings/api/api.hpp"
#include "bindings/lua/host.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "runtime/store/sqlite_store.hpp"
#include "tests/bench/measuring.hpp"

namespace perilune::bench {

World::World(const std::string& store_path, const engine::Settings& settings)
    : loop_(loop::make_uv_loop()), host_(lua::make_lua_host(api::open)) {
  auto store = store::open_sqlite({store_path, false});
  if (!store.ok()) fail(store.error().message);
  store_ = std::move(*store);
  engine::Engine::Options options;
  options.loop = loop_.get();
  options.store = store_.get();
  options.host = host_.get();
  options.observer = this;
  options.settings = settings;
  options.builtin_modules = lua::stdlib_modules();
  engine_ = std::make_unique<engine::Engine>(std::move(options));
}

World::~World() {
  engine_.reset();
  store_->close();
}

void World::start(const std::string& script, const std::string& input, std::function<void()> ended) {
  engine::StartRequest request;
  request.file = "bench.lua";
  request.text = script;
  request.input = input;
  auto started = [](const Result<store::RunRow>& row) {
    if (!row.ok()) fail("a run did not start: " + one_line(row.error()));
  };
  auto over = [ended = std::move(ended)](const store::RunRow&, const flow::Ending& ending) {
    if (ending.error != nullptr) fail("a run failed: " + one_line(*ending.error));
    if (ended) ended();
  };
  engine_->start(std::move(request), std::move(started), std::move(over));
}

void World::resume(const std::string& id) {
  auto started = [](const Result<store::RunRow>& row) {
    if (!row.ok()) fail("a run did not resume: " + one_line(row.error()));
  };
  auto ended = [](const store::RunRow&, const flow::Ending& ending) {
    if (ending.error != nullptr) fail("a resumed run failed: " + one_line(*ending.error));
  };
  engine_->resume(id, std::move(started), std::move(ended));
}

World::Pass World::run_all(const std::string& script, const std::string& input, int runs, int at_once) {
  Pass pass;
  pass.latencies_s.reserve(static_cast<size_t>(runs));
  int launched = 0;
  std::function<void()> launch = [&] {
    ++launched;
    start(script, input, [&, started_s = seconds()] {
      pass.latencies_s.push_back(seconds() - started_s);
      if (launched < runs)
        launch();
      else if (static_cast<int>(pass.latencies_s.size()) == runs)
        loop_->stop();
    });
  };
  double began_s = seconds(), began_cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < std::min(runs, at_once); ++i) launch();
  loop_->run();
  pass.took_s = seconds() - began_s;
  pass.cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID) - began_cpu_s;
  return pass;
}

}  // namespace perilune::bench
