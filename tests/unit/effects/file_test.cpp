// Files: reading, atomic writing, appending, looking; errors that name the path.
// SPDX-License-Identifier: MIT
#include "runtime/effects/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <thread>

#include "tests/unit/effects/file_bench.hpp"

using namespace perilune;
using namespace perilune::effects;

TEST_CASE("file: what is written is read, and no temporary file is left") {
  FileBench bench;
  const std::string path = bench.path("a.txt");
  REQUIRE(write_file(path, "first").ok());
  REQUIRE(write_file(path, std::string("sec\0nd\n", 7)).ok());
  auto bytes = read_file(path, 100);
  REQUIRE(bytes.ok());
  CHECK(*bytes == std::string("sec\0nd\n", 7));
  CHECK(bench.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("file: large and empty contents survive") {
  FileBench bench;
  const std::string large(3'000'001, 'x');
  REQUIRE(write_file(bench.path("large"), large).ok());
  REQUIRE(write_file(bench.path("empty"), "").ok());
  CHECK((*read_file(bench.path("large"), 10'000'000) == large));
  CHECK(*read_file(bench.path("empty"), 0) == "");
}

TEST_CASE("file: a failed write leaves the old content and nothing else") {
  FileBench bench;
  REQUIRE(make_directory(bench.path("taken/full")).ok());
  auto onto_directory = write_file(bench.path("taken"), "x");
  REQUIRE(!onto_directory.ok());
  CHECK(onto_directory.error().message.find(bench.path("taken")) != std::string::npos);
  auto nowhere = write_file(bench.path("no/such/place"), "x");
  REQUIRE(!nowhere.ok());
  CHECK(nowhere.error().code == code::k_not_found);
  CHECK(nowhere.error().message.find(bench.path("no/such/place")) != std::string::npos);
  CHECK(bench.names() == std::vector<std::string>{"taken"});
}

TEST_CASE("file: a reader sees the old content or the new, never a part") {
  FileBench bench;
  const std::string path = bench.path("f");
  const std::string one(200'000, '1'), two(200'000, '2');
  REQUIRE(write_file(path, one).ok());
  std::thread writer([&] {
    for (int i = 0; i < 20; i++) (void)write_file(path, i % 2 ? one : two);
  });
  int torn = 0;
  for (int i = 0; i < 50; i++) {
    auto bytes = read_file(path, 1'000'000);
    torn += !bytes.ok() || (*bytes != one && *bytes != two);
  }
  writer.join();
  CHECK(torn == 0);
}

TEST_CASE("file: a new file gets the mode, one that exists keeps its own") {
  FileBench bench;
  const mode_t before = umask(022);
  REQUIRE(write_file(bench.path("tool"), "#!/bin/sh\n", 0777).ok());
  CHECK(stat_file(bench.path("tool"))->mode == 0755);
  REQUIRE(write_file(bench.path("tool"), "#!/bin/sh\ntrue\n").ok());
  CHECK(stat_file(bench.path("tool"))->mode == 0755);
  umask(before);
}

TEST_CASE("file: writing follows links and spares devices") {
  FileBench bench;
  REQUIRE(write_file(bench.path("real"), "old").ok());
  REQUIRE(symlink("real", bench.path("link").c_str()) == 0);
  REQUIRE(write_file(bench.path("link"), "new").ok());
  CHECK(*read_file(bench.path("real"), 10) == "new");
  CHECK(bench.names() == std::vector<std::string>{"link", "real"});
  REQUIRE(write_file("/dev/null", "gone").ok());
  REQUIRE(copy_file(bench.path("real"), "/dev/null").ok());
  CHECK(stat_file("/dev/null")->type == "other");
}

TEST_CASE("file: a name as long as names can be is written") {
  FileBench bench;
  const std::string path = bench.path(std::string(255, 'n'));
  REQUIRE(write_file(path, "x").ok());
  CHECK(*read_file(path, 1) == "x");
}

TEST_CASE("file: appending makes the file and adds at its end") {
  FileBench bench;
  REQUIRE(append_file(bench.path("log"), "one\n").ok());
  REQUIRE(append_file(bench.path("log"), "two\n").ok());
  CHECK(*read_file(bench.path("log"), 100) == "one\ntwo\n");
  auto bad = append_file(bench.path("no/log"), "x");
  REQUIRE(!bad.ok());
  CHECK(bad.error().code == code::k_not_found);
  CHECK(bad.error().message.find(bench.path("no/log")) != std::string::npos);
}

TEST_CASE("file: reading stops at the limit") {
  FileBench bench;
  REQUIRE(write_file(bench.path("f"), "12345").ok());
  CHECK(*read_file(bench.path("f"), 5) == "12345");
  auto over = read_file(bench.path("f"), 4);
  REQUIRE(!over.ok());
  CHECK(over.error().code == code::k_limit);
  CHECK(over.error().message.find(bench.path("f")) != std::string::npos);
  auto endless = read_file("/dev/zero", 1'000'000);
  REQUIRE(!endless.ok());
  CHECK(endless.error().code == code::k_limit);
  CHECK(!read_file("/proc/self/status", 1'000'000)->empty());  // its size is said to be 0
}

TEST_CASE("file: errors of reading name the path") {
  FileBench bench;
  auto absent = read_file(bench.path("absent"), 10);
  REQUIRE(!absent.ok());
  CHECK(absent.error().code == code::k_not_found);
  CHECK(absent.error().message == "cannot read '" + bench.path("absent") + "': No such file or directory");
  auto directory = read_file(bench.root(), 10);
  REQUIRE(!directory.ok());
  CHECK(directory.error().code == code::k_io);
  auto strange = read_file("/no\nsuch", 10);
  REQUIRE(!strange.ok());
  CHECK(strange.error().message.find("'/no\\x0asuch'") != std::string::npos);
}

TEST_CASE("file: lines come without their ends") {
  FileBench bench;
  auto lines = [&](std::string_view text) {
    REQUIRE(write_file(bench.path("f"), text).ok());
    return *read_lines(bench.path("f"), 100);
  };
  using Lines = std::vector<std::string>;
  CHECK(lines("") == Lines{});
  CHECK(lines("a") == Lines{"a"});
  CHECK(lines("a\n") == Lines{"a"});
  CHECK(lines("a\r\n\nb") == Lines{"a", "", "b"});
  CHECK(lines("a\n\n") == Lines{"a", ""});
  CHECK(read_lines(bench.path("f"), 1).error().code == code::k_limit);
}

TEST_CASE("file: a directory is listed by name, with what each entry is") {
  FileBench bench;
  REQUIRE(make_directory(bench.path("b")).ok());
  REQUIRE(write_file(bench.path("c"), "123").ok());
  REQUIRE(write_file(bench.path(".a"), "").ok());
  REQUIRE(symlink("nowhere", bench.path("d").c_str()) == 0);
  auto entries = list_directory(bench.root());
  REQUIRE(entries.ok());
  std::vector<std::string> shown;
  for (const FileStat& entry : *entries) shown.push_back(entry.path + ":" + entry.type);
  CHECK(shown == std::vector<std::string>{".a:file", "b:directory", "c:file", "d:link"});
  CHECK((*entries)[2].size == 3);
  CHECK((*entries)[2].modified_s > 1.6e9);
  auto absent = list_directory(bench.path("absent"));
  REQUIRE(!absent.ok());
  CHECK(absent.error().code == code::k_not_found);
  CHECK(list_directory(bench.path("c")).error().message.find(bench.path("c")) != std::string::npos);
}

TEST_CASE("file: stat follows links, but a link that leads nowhere is a link") {
  FileBench bench;
  REQUIRE(write_file(bench.path("real"), "123").ok());
  REQUIRE(symlink("real", bench.path("good").c_str()) == 0);
  REQUIRE(symlink("nowhere", bench.path("bad").c_str()) == 0);
  CHECK(stat_file(bench.path("good"))->type == "file");
  CHECK(stat_file(bench.path("good"))->size == 3);
  CHECK(stat_file(bench.path("bad"))->type == "link");
  CHECK(stat_file(bench.path("absent")).error().code == code::k_not_found);
}

TEST_CASE("file: directories are made with their parents, and may exist") {
  FileBench bench;
  REQUIRE(make_directory(bench.path("a/b//c/")).ok());
  REQUIRE(make_directory(bench.path("a/b/c")).ok());
  CHECK(stat_file(bench.path("a/b/c"))->type == "directory");
  REQUIRE(make_directory("/").ok());
  REQUIRE(write_file(bench.path("file"), "").ok());
  auto taken = make_directory(bench.path("file/below"));
  REQUIRE(!taken.ok());
  CHECK(taken.error().code == code::k_conflict);
  CHECK(taken.error().message.find(bench.path("file")) != std::string::npos);
  CHECK(make_directory("").error().code == code::k_not_found);
}

TEST_CASE("file: temporary directories are our own and new") {
  FileBench bench;
  auto one = make_temp_directory(bench.path("t-"));
  auto two = make_temp_directory(bench.path("t-"));
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  CHECK(*one != *two);
  CHECK(one->starts_with(bench.path("t-")));
  CHECK(stat_file(*one)->mode == 0700);
  CHECK(!make_temp_directory(bench.path("no/t-")).ok());
}
