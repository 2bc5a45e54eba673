// Child processes: results, streams, errors, limits. Cancelling and what dies with whom: process_cancel_test.cpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <vector>

#include "runtime/effects/fd.hpp"
#include "runtime/effects/file.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "tests/unit/effects/process_bench.hpp"

using namespace perilune;
using namespace perilune::effects;

TEST_CASE("process: both streams and the exit code come back") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"sh", "-c", "echo out; echo err >&2; exit 7"}});
  REQUIRE(result.ok());
  CHECK(result->out == "out\n");
  CHECK(result->err == "err\n");
  CHECK(result->code == 7);
  CHECK(result->signal == 0);
  CHECK(!result->truncated);
  CHECK(result->duration_us > 0);
}

TEST_CASE("process: arguments arrive as they are") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"printf", "%s|", "a b", "", "$HOME;*", "\"'\\"}});
  REQUIRE(result.ok());
  CHECK(result->out == "a b||$HOME;*|\"'\\|");
}

TEST_CASE("process: a death by signal is a result with 128 + signal") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"sh", "-c", "kill -KILL $$"}});
  REQUIRE(result.ok());
  CHECK(result->signal == SIGKILL);
  CHECK(result->code == 128 + SIGKILL);
}

TEST_CASE("process: input is echoed through cat, small and larger than any pipe") {
  ProcessBench bench;
  auto small = bench.run({.argv = {"cat"}, .stdin_data = "hello"});
  REQUIRE(small.ok());
  CHECK(small->out == "hello");
  std::string data(3'000'000, 'x');
  for (size_t i = 0; i < data.size(); i += 1'001) data[i] = static_cast<char>('a' + i % 26);
  auto large = bench.run({.argv = {"cat"}, .stdin_data = data});
  REQUIRE(large.ok());
  CHECK((large->out == data));
}

TEST_CASE("process: without input, stdin is at its end") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"cat"}});
  REQUIRE(result.ok());
  CHECK(result->out.empty());
  CHECK(result->code == 0);
}

TEST_CASE("process: a child that does not read its input is no error, and no SIGPIPE") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"sh", "-c", "exec <&-; echo done"}, .stdin_data = std::string(4'000'000, 'x')});
  REQUIRE(result.ok());
  CHECK(result->out == "done\n");
  CHECK(result->code == 0);
}

TEST_CASE("process: ten megabytes on both streams at once") {
  ProcessBench bench;
  const std::string script =
      "head -c 10000000 /dev/zero | tr '\\0' o & head -c 10000000 /dev/zero | tr '\\0' e >&2; wait";
  auto result = bench.run({.argv = {"sh", "-c", script}});
  REQUIRE(result.ok());
  CHECK((result->out == std::string(10'000'000, 'o')));
  CHECK((result->err == std::string(10'000'000, 'e')));
  CHECK(!result->truncated);
}

TEST_CASE("process: output over the limit is dropped and said so, but every chunk is heard") {
  ProcessBench bench;
  size_t heard = 0;
  auto result =
      bench.run({.argv = {"sh", "-c", "head -c 1000000 /dev/zero; echo x >&2"},
                 .output_limit = 1'000,
                 .on_output = [&](bool is_stderr, std::string_view chunk) { heard += is_stderr ? 0 : chunk.size(); }});
  REQUIRE(result.ok());
  CHECK(result->out.size() == 1'000);
  CHECK(result->err == "x\n");
  CHECK(result->truncated);
  CHECK(heard == 1'000'000);
}

TEST_CASE("process: output of exactly the limit is not truncated") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"printf", "12345"}, .output_limit = 5});
  REQUIRE(result.ok());
  CHECK(result->out == "12345");
  CHECK(!result->truncated);
}

TEST_CASE("process: an unknown program is named, in PATH and by path, and told later") {
  ProcessBench bench;
  bool told = false;
  auto effect = bench.runner->run({.argv = {"no-such-program-here"}}, [&](Result<ProcessResult> result) {
    told = true;
    CHECK(result.error().code == code::k_not_found);
    CHECK(result.error().message.find("'no-such-program-here'") != std::string::npos);
    bench.loop->stop();
  });
  CHECK(!told);
  bench.loop->run();
  CHECK(told);
  auto by_path = bench.run({.argv = {"/nowhere/at/all"}});
  REQUIRE(!by_path.ok());
  CHECK(by_path.error().code == code::k_not_found);
  CHECK(by_path.error().message.find("'/nowhere/at/all'") != std::string::npos);
}

TEST_CASE("process: what cannot be executed is denied, and a missing interpreter is told apart") {
  ProcessBench bench;
  const std::string dir = bench.directory();
  REQUIRE(write_file(dir + "/plain", "text", 0644).ok());
  REQUIRE(write_file(dir + "/bare", "just text\n", 0755).ok());
  REQUIRE(write_file(dir + "/orphan", "#!/no/such/interpreter\n", 0755).ok());
  auto plain = bench.run({.argv = {dir + "/plain"}});
  REQUIRE(!plain.ok());
  CHECK(plain.error().code == code::k_denied);
  CHECK(plain.error().message.find(dir + "/plain") != std::string::npos);
  auto in_path = bench.run({.argv = {"plain"}, .env = {{"PATH", dir}}});
  REQUIRE(!in_path.ok());
  CHECK(in_path.error().code == code::k_denied);
  auto bare = bench.run({.argv = {dir + "/bare"}});
  REQUIRE(!bare.ok());
  CHECK(bare.error().code == code::k_denied);
  CHECK(bare.error().message.find("#!") != std::string::npos);
  auto orphan = bench.run({.argv = {dir + "/orphan"}});
  REQUIRE(!orphan.ok());
  CHECK(orphan.error().code == code::k_not_found);
  CHECK(orphan.error().message.find("interpreter") != std::string::npos);
}

TEST_CASE("process: the working directory is the child's, a bad one is an error that names it") {
  ProcessBench bench;
  const std::string dir = bench.directory();
  REQUIRE(write_file(dir + "/tool", "#!/bin/sh\npwd\n", 0755).ok());
  auto where = bench.run({.argv = {"pwd", "-P"}, .cwd = dir});
  REQUIRE(where.ok());
  CHECK(where->out == dir + "\n");
  auto relative = bench.run({.argv = {"./tool"}, .cwd = dir});
  REQUIRE(relative.ok());
  CHECK(relative->out == dir + "\n");
  auto in_path = bench.run({.argv = {"tool"}, .cwd = dir, .env = {{"PATH", ":/bin:/usr/bin"}}});
  REQUIRE(in_path.ok());
  CHECK(in_path->out == dir + "\n");
  auto bad = bench.run({.argv = {"true"}, .cwd = "/no/such/directory"});
  REQUIRE(!bad.ok());
  CHECK(bad.error().code == code::k_io);
  CHECK(bad.error().message.find("'/no/such/directory'") != std::string::npos);
}

TEST_CASE("process: the environment is added to ours, or is all there is") {
  ProcessBench bench;
  setenv("PERILUNE_TEST_OURS", "ours", 1);
  const std::vector<std::string> show = {"sh", "-c", "echo $PERILUNE_TEST_OURS $ADDED"};
  auto added = bench.run({.argv = show, .env = {{"ADDED", "1"}, {"ADDED", "2"}}});
  REQUIRE(added.ok());
  CHECK(added->out == "ours 2\n");
  auto replaced = bench.run({.argv = show, .env = {{"PERILUNE_TEST_OURS", "theirs"}}});
  REQUIRE(replaced.ok());
  CHECK(replaced->out == "theirs\n");
  auto clean = bench.run({.argv = {"env"}, .env = {{"ONLY", "this"}}, .clean_env = true});
  REQUIRE(clean.ok());
  CHECK(clean->out == "ONLY=this\n");
  unsetenv("PERILUNE_TEST_OURS");
}

TEST_CASE("process: calls that cannot be right are usage errors") {
  ProcessBench bench;
  using namespace std::string_literals;
  const ProcessSpec wrong[] = {{.argv = {}},
                               {.argv = {""}},
                               {.argv = {"true", "a\0b"s}},
                               {.argv = {"true"}, .cwd = "a\0b"s},
                               {.argv = {"true"}, .env = {{"A=B", "c"}}},
                               {.argv = {"true"}, .env = {{"A", "a\0b"s}}}};
  for (const ProcessSpec& spec : wrong) {
    auto result = bench.run(spec);
    REQUIRE(!result.ok());
    CHECK(result.error().code == code::k_usage);
  }
}

TEST_CASE("process: limits hold in the child") {
  ProcessBench bench;
  auto result = bench.run({.argv = {"sh", "-c", "ulimit -n; ulimit -t; ulimit -v"},
                           .cpu_s = 17,
                           .memory_bytes = 1u << 30,
                           .open_files = 64});
  REQUIRE(result.ok());
  CHECK(result->out == "64\n17\n1048576\n");
}

TEST_CASE("process: the child has its own group, no descriptor of ours, and signals as new") {
  ProcessBench bench;
  const Fd leaky(open("/dev/null", O_RDONLY));  // not closed on exec
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGUSR1, &ignore, &before);
  sigset_t blocked, mask_before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &mask_before);
  auto signals = bench.run({.argv = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}});
  sigset_t mask_after;
  pthread_sigmask(SIG_SETMASK, &mask_before, &mask_after);
  sigaction(SIGUSR1, &before, nullptr);
  REQUIRE(signals.ok());
  CHECK(signals->out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  CHECK(sigismember(&mask_after, SIGUSR2) == 1);
  CHECK(sigismember(&mask_after, SIGTERM) == 0);
  auto descriptors = bench.run({.argv = {"ls", "/proc/self/fd"}});
  REQUIRE(descriptors.ok());
  CHECK(descriptors->out == "0\n1\n2\n3\n");  // 3 is the directory that ls reads
  auto group = bench.run({.argv = {"sh", "-c", "set -- $(cat /proc/$$/stat); test $1 = $5"}});
  REQUIRE(group.ok());
  CHECK(group->code == 0);
}

TEST_CASE("process: two hundred at once, good and bad, leak no descriptor") {
  ProcessBench bench;
  REQUIRE(bench.run({.argv = {"true"}}).ok());  // what is opened once is open now
  const size_t before = open_descriptors();
  int good = 0, bad = 0, waiting = 200;
  std::vector<std::unique_ptr<Effect>> effects;
  for (int i = 0; i < 200; i++) {
    ProcessSpec spec{.argv = {"sh", "-c", "cat; exit " + std::to_string(i % 100)}, .stdin_data = std::to_string(i)};
    if (i % 10 == 9) spec.cwd = "/no/such/directory";
    effects.push_back(bench.runner->run(std::move(spec), [&, i](Result<ProcessResult> result) {
      good += result.ok() && result->out == std::to_string(i) && result->code == i % 100;
      bad += !result.ok();
      if (--waiting == 0) bench.loop->stop();
    }));
  }
  bench.loop->run();
  CHECK(good == 180);
  CHECK(bad == 20);
  CHECK(open_descriptors() == before);
}

TEST_CASE("process: on a simulated loop there are none, and that is said") {
  loop::SimLoop loop;
  auto runner = make_process_runner(loop);
  std::string told;
  auto effect = runner->run({.argv = {"true"}}, [&](Result<ProcessResult> result) { told = result.error().code; });
  CHECK(told.empty());
  loop.run();
  CHECK(told == code::k_io);
}
