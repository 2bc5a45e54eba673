// The scripts of examples/patterns in virtual time: straight, and cut after each record in turn, each gives the trace that
// its header promises.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/sim/world.hpp"

namespace perilune::sim {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string promised_trace(const std::string& script) {
  const std::string mark = "\n-- trace: ";
  size_t at = script.find(mark);
  if (at == std::string::npos) return "(none)";
  at += mark.size();
  return script.substr(at, script.find('\n', at) - at);
}

std::string trace_of(const Life& life) {
  if (!life.ended) return "did not end";
  return life.ending.error != nullptr ? one_line(*life.ending.error) : life.ending.output;
}

std::string trace_with_cut(const std::string& script, uint64_t cut) {
  World world(script);
  world.live(1, cut);
  return trace_of(world.live(1, ~0ull, world.journal().back().at_us));
}

}  // namespace

TEST_CASE("each pattern gives its trace, straight and cut at every record", "[patterns]") {
  size_t count = 0;
  for (auto& entry : std::filesystem::directory_iterator(PERILUNE_SOURCE_DIR "/examples/patterns")) {
    if (entry.path().extension() != ".lua") continue;
    ++count;
    std::string script = read(entry.path());
    std::string expected = "\"" + promised_trace(script) + "\"";
    INFO(entry.path().filename().string());
    World straight(script);
    CHECK(trace_of(straight.live(1, ~0ull)) == expected);
    uint64_t records = straight.journal().size();
    for (uint64_t cut = 1; cut < records; ++cut) {
      INFO("cut after record " << cut);
      CHECK(trace_with_cut(script, cut) == expected);
    }
  }
  CHECK(count >= 36);
}

}  // namespace perilune::sim
