// A test file as a run of its own; see runner.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/testing/runner.hpp"

#include <algorithm>

#include "bindings/lua/host.hpp"
#include "runtime/loop/uv_loop.hpp"

namespace perilune::testing {

namespace {

constexpr int64_t k_file_cpu_us = 3'600'000'000;   // a test file computes with all the runs that it tests

class Lines final : public engine::Observer {
 public:
  explicit Lines(std::function<void(const std::string&)> log) : log_(std::move(log)) {}
  void log(const store::RunRow&, int64_t, const char* level, std::string_view text, std::string_view) override {
    log_(std::string(level) + ": " + std::string(text));
  }

 private:
  std::function<void(const std::string&)> log_;
};

}  // namespace

Result<void> run_test_file(const TestFile& file, std::function<void(const Verdict&)> report,
                           std::function<void(const std::string& line)> log) {
  Bench bench(file.directory, file.cwd, std::move(report));
  Lines lines(std::move(log));
  auto loop = loop::make_uv_loop();
  auto store = store::make_memory_store();
  auto host = lua::make_lua_host(open_test_api);
  Result<void> result;
  {
    engine::Engine::Options options;
    options.loop = loop.get();
    options.store = store.get();
    options.host = host.get();
    options.observer = &lines;
    options.settings = file.settings;
    options.settings.cpu_us = std::max(options.settings.cpu_us, k_file_cpu_us);
    options.builtin_modules = lua::stdlib_modules();
    engine::Engine engine(std::move(options));
    engine::StartRequest request;
    request.file = file.path;
    request.text = file.text;
    request.directory = file.directory;
    request.cwd = file.cwd;
    Bench::now() = &bench;
    engine.start(
        std::move(request),
        [&](const Result<store::RunRow>& row) {
          if (row.ok()) return;
          result = row.error();
          loop->stop();
        },
        [&](const store::RunRow&, const flow::Ending& ending) {
          if (ending.error != nullptr) result = *ending.error;
          loop->stop();
        });
    loop->run();
    bench.clear();   // what its mocks refer to goes with the script's state
  }
  Bench::now() = nullptr;
  store->close();
  return result;
}

}  // namespace perilune::testing
