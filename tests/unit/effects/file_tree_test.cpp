// Copy, move and remove.
// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/effects/file_bench.hpp"

using namespace perilune;
using namespace perilune::effects;

namespace {

using Names = std::vector<std::string>;

void make_tree(const std::string& root) {
  REQUIRE(make_directory(root + "/sub/deep").ok());
  REQUIRE(write_file(root + "/one", "1", 0600).ok());
  REQUIRE(write_file(root + "/sub/deep/two", "2").ok());
  REQUIRE(symlink("../one", (root + "/sub/link").c_str()) == 0);
}

void check_tree(const std::string& root) {
  CHECK(*read_file(root + "/one", 10) == "1");
  CHECK(stat_file(root + "/one")->mode == 0600);
  CHECK(*read_file(root + "/sub/deep/two", 10) == "2");
  CHECK(*read_file(root + "/sub/link", 10) == "1");
  CHECK((*list_directory(root + "/sub"))[1].type == "link");
}

// A directory on another file system than the bench, or "" when this machine has none.
std::string other_file_system(const FileBench& bench) {
  struct stat here, there;
  if (stat(bench.root().c_str(), &here) != 0 || stat("/dev/shm", &there) != 0) return "";
  if (here.st_dev == there.st_dev) return "";
  auto made = make_temp_directory("/dev/shm/perilune-test-");
  return made.ok() ? *made : "";
}

}  // namespace

TEST_CASE("file tree: a copy has the content and the mode, replaces, and leaves no temporary file") {
  FileBench bench;
  const std::string large(1'000'000, 'x');
  REQUIRE(write_file(bench.path("a"), large).ok());
  REQUIRE(chmod(bench.path("a").c_str(), 0751) == 0);
  REQUIRE(write_file(bench.path("b"), "old").ok());
  REQUIRE(copy_file(bench.path("a"), bench.path("b")).ok());
  CHECK((*read_file(bench.path("b"), 2'000'000) == large));
  CHECK(stat_file(bench.path("b"))->mode == 0751);
  REQUIRE(copy_file(bench.path("a"), bench.path("a")).ok());
  CHECK((*read_file(bench.path("a"), 2'000'000) == large));
  CHECK(bench.names() == Names{"a", "b"});
}

TEST_CASE("file tree: errors of copying name the side that is wrong") {
  FileBench bench;
  REQUIRE(write_file(bench.path("a"), "1").ok());
  CHECK(copy_file(bench.path("absent"), bench.path("b")).error().message.find(bench.path("absent")) !=
        std::string::npos);
  CHECK(copy_file(bench.path("a"), bench.path("no/b")).error().message.find(bench.path("no/b")) != std::string::npos);
  CHECK(copy_file(bench.root(), bench.path("b")).error().code == code::k_io);
  CHECK(bench.names() == Names{"a"});
}

TEST_CASE("file tree: a move takes files and directories, and replaces files") {
  FileBench bench;
  REQUIRE(write_file(bench.path("a"), "1").ok());
  REQUIRE(write_file(bench.path("b"), "2").ok());
  REQUIRE(move_file(bench.path("a"), bench.path("b")).ok());
  CHECK(*read_file(bench.path("b"), 10) == "1");
  CHECK(bench.names() == Names{"b"});
  make_tree(bench.path("tree"));
  REQUIRE(move_file(bench.path("tree"), bench.path("moved")).ok());
  check_tree(bench.path("moved"));
  CHECK(bench.names() == Names{"b", "moved"});
}

TEST_CASE("file tree: a move that cannot be says why and changes nothing") {
  FileBench bench;
  auto absent = move_file(bench.path("absent"), bench.path("b"));
  REQUIRE(!absent.ok());
  CHECK(absent.error().code == code::k_not_found);
  CHECK(absent.error().message.find(bench.path("absent")) != std::string::npos);
  REQUIRE(make_directory(bench.path("full/x")).ok());
  REQUIRE(make_directory(bench.path("other")).ok());
  auto onto_full = move_file(bench.path("other"), bench.path("full"));
  REQUIRE(!onto_full.ok());
  CHECK(onto_full.error().code == code::k_conflict);
  CHECK(bench.names() == Names{"full", "other"});
}

TEST_CASE("file tree: a move across file systems copies and removes") {
  FileBench bench;
  const std::string other = other_file_system(bench);
  if (other.empty()) return;
  REQUIRE(write_file(bench.path("a"), "1", 0640).ok());
  REQUIRE(move_file(bench.path("a"), other + "/a").ok());
  CHECK(*read_file(other + "/a", 10) == "1");
  CHECK(stat_file(other + "/a")->mode == 0640);
  make_tree(bench.path("tree"));
  REQUIRE(move_file(bench.path("tree"), other + "/tree").ok());
  check_tree(other + "/tree");
  CHECK(bench.names().empty());
  CHECK(list_directory(other)->size() == 2);
  REQUIRE(remove_file(other, true).ok());
}

TEST_CASE("file tree: removing what is absent is fine, a full directory needs recursive") {
  FileBench bench;
  REQUIRE(remove_file(bench.path("absent"), false).ok());
  REQUIRE(remove_file(bench.path("absent"), true).ok());
  REQUIRE(make_directory(bench.path("empty")).ok());
  REQUIRE(remove_file(bench.path("empty"), false).ok());
  make_tree(bench.path("tree"));
  auto full = remove_file(bench.path("tree"), false);
  REQUIRE(!full.ok());
  CHECK(full.error().code == code::k_conflict);
  CHECK(full.error().message.find(bench.path("tree")) != std::string::npos);
  REQUIRE(remove_file(bench.path("tree") + "/", true).ok());
  CHECK(bench.names().empty());
}

TEST_CASE("file tree: a recursive removal does not follow links") {
  FileBench bench;
  make_tree(bench.path("kept"));
  REQUIRE(make_directory(bench.path("gone/in")).ok());
  REQUIRE(symlink(bench.path("kept").c_str(), bench.path("gone/in/link").c_str()) == 0);
  REQUIRE(remove_file(bench.path("gone"), true).ok());
  check_tree(bench.path("kept"));
  REQUIRE(symlink(bench.path("kept").c_str(), bench.path("link").c_str()) == 0);
  REQUIRE(remove_file(bench.path("link"), true).ok());
  check_tree(bench.path("kept"));
  CHECK(bench.names() == Names{"kept"});
}

TEST_CASE("file tree: what has no name of its own is not removed") {
  FileBench bench;
  make_tree(bench.path("kept"));
  for (const std::string& path : {std::string("/"), std::string("//"), std::string(""), std::string("."),
                                  bench.path("kept/."), bench.path("kept/sub/..")}) {
    auto removed = remove_file(path, true);
    REQUIRE(!removed.ok());
    CHECK(removed.error().code == code::k_denied);
  }
  check_tree(bench.path("kept"));
}

TEST_CASE("file tree: deep directories are removed") {
  FileBench bench;
  std::string path = bench.path("deep");
  for (int i = 0; i < 100; i++) path += "/d";
  REQUIRE(make_directory(path).ok());
  REQUIRE(remove_file(bench.path("deep"), true).ok());
  CHECK(bench.names().empty());
}
