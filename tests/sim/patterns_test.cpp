// The scripts of examples/patterns in virtual time: straight, and cut after each record in turn, each gives the trace that
// its header promises, and undoes what it says there.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/sim/world.hpp"

namespace perilune::sim {
namespace {

const char* const k_directory = PERILUNE_SOURCE_DIR "/examples/patterns";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What the header says under a name; "" when it says nothing.
std::string promised(const std::string& script, const std::string& name) {
  const std::string mark = "\n-- " + name + ": ";
  size_t at = script.find(mark);
  if (at == std::string::npos) return "";
  at += mark.size();
  return script.substr(at, script.find('\n', at) - at);
}

std::string outcome(World& world, const Life& life) {
  if (!life.ended) return "did not end";
  if (life.ending.error != nullptr) return one_line(*life.ending.error);
  std::string undone;
  for (const journal::Record& record : world.journal())
    if (record.kind == journal::Kind::compensation_done) undone += (undone.empty() ? "" : ", ") + record.name;
  return life.ending.output + (undone.empty() ? "" : " undone: " + undone);
}

std::string outcome_with_cut(const std::string& script, uint64_t cut) {
  World world(script, {}, k_directory);
  world.session = promised(script, "session");
  world.live(1, cut);
  return outcome(world, world.live(1, ~0ull, world.journal().back().at_us));
}

}  // namespace

TEST_CASE("each pattern gives its trace, straight and cut at every record", "[patterns]") {
  size_t count = 0;
  for (auto& entry : std::filesystem::directory_iterator(k_directory)) {
    if (entry.path().extension() != ".lua") continue;
    ++count;
    std::string script = read(entry.path());
    std::string undone = promised(script, "undone");
    std::string expected = "\"" + promised(script, "trace") + "\"" + (undone.empty() ? "" : " undone: " + undone);
    INFO(entry.path().filename().string());
    World straight(script, {}, k_directory);
    straight.session = promised(script, "session");
    CHECK(outcome(straight, straight.live(1, ~0ull)) == expected);
    uint64_t records = straight.journal().size();
    for (uint64_t cut = 1; cut < records; ++cut) {
      INFO("cut after record " << cut);
      CHECK(outcome_with_cut(script, cut) == expected);
    }
  }
  CHECK(count >= 43 + 14 + 7);
}

}  // namespace perilune::sim
