// Settings: which source wins, and what is said of a wrong one. On directories of its own below the system's temporary
// one. SPDX-License-Identifier: MIT
#include "bindings/cli/config.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "runtime/effects/file.hpp"

using namespace perilune;
using namespace perilune::cli;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() : path(effects::make_temp_directory("perilune-config").value()) {}
  ~Directory() {
    std::error_code failed;
    fs::remove_all(path, failed);
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((fs::path(path) / name).parent_path());
    std::ofstream(fs::path(path) / name) << text;
  }
  std::string path;
};

Environment environment(Environment values = {}) { return values; }

Setting setting_of(const Config& config, const std::string& name) {
  for (const Setting& setting : config.settings)
    if (setting.name == name) return setting;
  FAIL("no setting " << name);
  return {};
}

std::string complaint(const Directory& directory, const std::string& text) {
  directory.write("perilune.json", text);
  Result<Config> config = load_config(directory.path, "", environment());
  if (config.ok()) return "none";
  CHECK(config.error().code == code::k_usage);
  return config.error().message;
}

}  // namespace

TEST_CASE("without any source every setting has its default", "[cli]") {
  Directory directory;
  Config config = load_config(directory.path, "", environment()).value();
  CHECK(config.engine.cpu_us == 10'000'000);
  CHECK(config.engine.memory_bytes == 256u << 20);
  CHECK(config.engine.payload_bytes == 64u << 20);
  CHECK(config.engine.evict_after_us == 5'000'000);
  CHECK(config.engine.timeout_us == 3'600'000'000);
  CHECK(config.engine.retry.attempts == 3);
  CHECK_FALSE(config.relaxed);
  CHECK(setting_of(config, "limits.cpu").source == "default");
}

TEST_CASE("a flag wins over the environment, which wins over the file", "[cli]") {
  Directory directory;
  directory.write("perilune.json",
                  R"({"store": {"url": "sqlite:file.db"}, "limits": {"cpu": "1s", "memory": "1MiB"}})");
  auto variables = environment({{"PERILUNE_STORE", "env.db"}, {"PERILUNE_LIMITS_CPU", "2s"}});

  Config config = load_config(directory.path, "flag.db", variables).value();
  CHECK(config.store_url == "flag.db");
  CHECK(setting_of(config, "store.url").source == "--store");
  CHECK(config.engine.cpu_us == 2'000'000);
  CHECK(setting_of(config, "limits.cpu").source == "PERILUNE_LIMITS_CPU");
  CHECK(config.engine.memory_bytes == 1u << 20);
  CHECK(setting_of(config, "limits.memory").source == directory.path + "/perilune.json");
  CHECK(load_config(directory.path, "", variables).value().store_url == "env.db");
  CHECK(load_config(directory.path, "", environment()).value().store_url == "sqlite:file.db");
}

TEST_CASE("perilune.json is found above, and its store path is meant from where it lies", "[cli]") {
  Directory directory;
  directory.write("perilune.json", R"({"store": {"url": "sqlite:data/a.db"}})");
  directory.write("deep/below/x", "");
  Config config = load_config(directory.path + "/deep/below", "", environment()).value();
  StorePlace place = place_store(config, directory.path + "/deep/below").value();
  CHECK(place.path == directory.path + "/data/a.db");
  CHECK(place.logs == directory.path + "/data/a.db.logs");
}

TEST_CASE("numbers in perilune.json count as their unit", "[cli]") {
  Directory directory;
  directory.write("perilune.json", R"({"limits": {"cpu": 1.5, "memory": 1000000},
                                       "workflow": {"timeout_seconds": 60, "max_retry_attempts": 5}})");
  Config config = load_config(directory.path, "", environment()).value();
  CHECK(config.engine.cpu_us == 1'500'000);
  CHECK(config.engine.memory_bytes == 1'000'000);
  CHECK(config.engine.timeout_us == 60'000'000);
  CHECK(config.engine.retry.attempts == 5);
}

TEST_CASE("a wrong perilune.json is refused with the place and the nearest name", "[cli]") {
  Directory directory;
  CHECK_THAT(complaint(directory, "{\n  \"limits\": oops\n}"), Catch::Contains("line 2, column"));
  CHECK_THAT(complaint(directory, R"({"limit": {}})"), Catch::Contains("did you mean 'limits'?"));
  CHECK_THAT(complaint(directory, R"({"limits": {"memry": "1MiB"}})"), Catch::Contains("did you mean 'memory'?"));
  CHECK_THAT(complaint(directory, R"({"limits": {"cpu": "fast"}})"), Catch::Contains("limits.cpu"));
  CHECK_THAT(complaint(directory, R"({"limits": {"cpu": true}})"), Catch::Contains("neither a text nor a number"));
  CHECK_THAT(complaint(directory, R"({"limits": {"memory": 0}})"), Catch::Contains("limits.memory"));
  CHECK_THAT(complaint(directory, R"({"limits": 5})"), Catch::Contains("not an object"));
  CHECK_THAT(complaint(directory, R"({"store": {"durability": "ful"}})"), Catch::Contains("did you mean 'full'?"));
  CHECK_THAT(complaint(directory, R"({"workflow": {"max_retry_attempts": 0}})"),
             Catch::Contains("whole number from 1"));
  CHECK_THAT(complaint(directory, "[]"), Catch::Contains("not a JSON object"));
  CHECK(complaint(directory, R"({"$schema": "x"})") == "none");
}

TEST_CASE("a wrong value of the environment names its variable", "[cli]") {
  Directory directory;
  Result<Config> config = load_config(directory.path, "", environment({{"PERILUNE_LIMITS_MEMORY", "lots"}}));
  REQUIRE_FALSE(config.ok());
  CHECK_THAT(config.error().message, Catch::StartsWith("PERILUNE_LIMITS_MEMORY: limits.memory"));
}

TEST_CASE("a variable that is not known is refused with the nearest name, one of the project's scripts is not",
          "[cli]") {
  Directory directory;
  Result<Config> config = load_config(directory.path, "", environment({{"PERILUNE_LIMIT_CPU", "5s"}}));
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().code == code::k_usage);
  CHECK(config.error().message ==
        "unknown variable 'PERILUNE_LIMIT_CPU' of the environment: did you mean 'PERILUNE_LIMITS_CPU'?");
  CHECK(load_config(directory.path, "", environment({{"PERILUNE_SEED", "7"}, {"PERILUNE_CRASH_AT", "3"}})).ok());
}

TEST_CASE("the environment is read for what begins with PERILUNE_ and says something", "[cli]") {
  setenv("PERILUNE_SEED", "7=8", 1);
  setenv("PERILUNE_SIZE", "", 1);
  Environment found = process_environment();
  unsetenv("PERILUNE_SIZE");
  CHECK(found.at("PERILUNE_SEED") == "7=8");
  CHECK(found.count("PERILUNE_SIZE") == 0);
  CHECK(found.count("PATH") == 0);
}

TEST_CASE("the store is the nearest .perilune above, else one here", "[cli]") {
  Directory directory;
  directory.write("deep/below/x", "");
  fs::create_directory(directory.path + "/deep/.perilune");
  std::string below = directory.path + "/deep/below";
  Config config = load_config(below, "", environment()).value();
  StorePlace place = place_store(config, below).value();
  CHECK(place.path == directory.path + "/deep/.perilune/perilune.db");
  CHECK(place.logs == directory.path + "/deep/.perilune/logs");
  fs::remove(directory.path + "/deep/.perilune");
  if (nearest_with(directory.path, ".perilune").empty())
    CHECK(place_store(config, below).value().path == below + "/.perilune/perilune.db");
}

TEST_CASE("a store is named by url, path, directory or as memory", "[cli]") {
  Directory directory;
  auto placed = [&directory](const std::string& url) {
    return place_store(load_config(directory.path, url, environment()).value(), directory.path);
  };
  CHECK(placed("memory").value().memory);
  CHECK(placed("sqlite:a.db").value().path == directory.path + "/a.db");
  CHECK(placed("sqlite:/x/y.db").value().path == "/x/y.db");
  CHECK(placed("sub/").value().path == directory.path + "/sub/perilune.db");
  fs::create_directory(directory.path + "/sub");
  CHECK(placed("sub").value().path == directory.path + "/sub/perilune.db");
  CHECK(placed(".perilune/perilune.db").value().in_home);
  CHECK(placed("postgres://x/y").error().code == code::k_usage);
  CHECK(placed("sqlite:").error().code == code::k_usage);
  for (const char* url : {"sqlite::memory:", ":memory:"}) {
    CHECK(placed(url).error().code == code::k_usage);
    CHECK_THAT(placed(url).error().message, Catch::Contains("`memory` is the store that keeps nothing"));
  }
}
