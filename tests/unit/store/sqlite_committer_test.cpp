// The committer when storage fails, and when it moves the log into the file.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "runtime/store/sqlite_committer.hpp"
#include "runtime/store/sqlite_reader.hpp"
#include "runtime/store/sqlite_schema.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;

namespace {

std::atomic<bool> syncs_fail{false};
std::atomic<int> syncs_failed{0};

int sync_of(long call, int fd) {
  if (!syncs_fail) return static_cast<int>(syscall(call, fd));
  ++syncs_failed;
  errno = EIO;
  return -1;
}

std::unique_ptr<SqliteWriter> open_writer(const std::string& path) {
  Result<SqliteConnection> db = open_database(path, false);
  REQUIRE(db.ok());
  Result<std::unique_ptr<SqliteWriter>> writer = SqliteWriter::make(std::move(*db));
  REQUIRE(writer.ok());
  return std::move(*writer);
}

struct Answers {
  std::vector<std::string> codes;
  std::string last_message;
};

Operation append_operation(const RunRow& row, uint64_t seq, std::string data, loop::Loop& home, Answers& answers) {
  Append append = append_to(row, {record(seq)});
  append.records.front().data = std::move(data);
  auto done = [&answers](Result<void> result) {
    answers.codes.push_back(result.ok() ? "ok" : result.error().code);
    if (!result.ok()) answers.last_message = result.error().message;
  };
  return {&home, AppendOp{std::move(append), 0, done}, nullptr};
}

RunRow create_run(SqliteWriter& writer) {
  auto work = std::make_unique<CreateOp>();
  work->run = new_run("run-1");
  CreateOp* op = work.get();
  std::vector<Operation> batch;
  batch.push_back({nullptr, std::move(work), nullptr});
  writer.commit(batch);
  REQUIRE(batch.front().refusal == nullptr);
  return op->created.row;
}

}  // namespace

// The system's own, but when a test lets them fail.
extern "C" int fdatasync(int fd) { return sync_of(SYS_fdatasync, fd); }
extern "C" int fsync(int fd) { return sync_of(SYS_fsync, fd); }

TEST_CASE("a full disk fails the whole batch with the path and SQLite's words, and what follows commits again",
          "[store]") {
  SqlitePlace place;
  auto writer = open_writer(place.path());
  RunRow row = create_run(*writer);
  SqliteConnection& db = writer->connection();
  int64_t pages = db.query_integer("pragma page_count").value();
  REQUIRE(db.execute("pragma max_page_count=" + std::to_string(pages + 2)).ok());

  PumpedLoop loop;
  Answers answers;
  std::vector<Operation> batch;
  batch.push_back(append_operation(row, 2, "{}", loop, answers));
  batch.push_back(append_operation(row, 3, std::string(100'000, 'x'), loop, answers));
  batch.push_back(append_operation(row, 4, "{}", loop, answers));
  writer->commit(batch);
  post_completions(std::move(batch));
  loop.pump_until([&] { return answers.codes.size() == 3; });
  CHECK(answers.codes == std::vector<std::string>(3, code::k_storage));
  CHECK(answers.last_message.find(place.path()) != std::string::npos);
  CHECK(answers.last_message.find("database or disk is full") != std::string::npos);
  CHECK_FALSE(db.in_transaction());

  REQUIRE(db.execute("pragma max_page_count=1000000").ok());
  answers.codes.clear();
  std::vector<Operation> retry;
  retry.push_back(append_operation(row, 2, "{}", loop, answers));
  retry.push_back(append_operation(row, 3, std::string(100'000, 'x'), loop, answers));
  writer->commit(retry);
  post_completions(std::move(retry));
  loop.pump_until([&] { return answers.codes.size() == 2; });
  CHECK(answers.codes == std::vector<std::string>(2, "ok"));
}

TEST_CASE("a failed sync ends the process at once with code 74, without a second try or an answer", "[store]") {
  SqlitePlace place;
  pid_t child = fork();
  if (child == 0) {
    PumpedLoop loop;
    auto store = place.open();
    Result<Created> created = Calls(*store, loop).create(new_run("run-1"));
    if (!created.ok() || freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    // What the parent reads back is the number of tries.
    static int tries_pipe = open(place.directory().file("tries").c_str(), O_CREAT | O_WRONLY, 0600);
    syncs_fail = true;
    store->append(append_to(created->row, {record(2)}), loop, [](Result<void>) { _exit(2); });
    store->flush();
    loop.pump_until([&] {
      if (syncs_failed > 1 && write(tries_pipe, "x", 1) != 1) _exit(3);
      return false;
    });
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 74);
  CHECK(std::filesystem::file_size(place.directory().file("tries")) == 0);
  auto store = place.open();
  uint64_t last_seq = store->reader()->run("run-1").value()->last_seq;
  CHECK((last_seq == 1 || last_seq == 2));
}

TEST_CASE("the log is moved at 1,000 pages of single commits and later under load", "[store]") {
  CheckpointPace pace;
  CHECK_FALSE(pace.due(999, 1));
  CHECK(pace.due(1000, 1));
  CHECK_FALSE(pace.due(3999, 4));
  CHECK(pace.due(4000, 4));
  CHECK_FALSE(pace.due(15'999, 500));
  CHECK(pace.due(16'000, 500));
}

TEST_CASE("a log that a reader keeps from starting again is moved only when as much again has gathered", "[store]") {
  CheckpointPace pace;
  REQUIRE(pace.due(1000, 1));
  pace.done(1000);
  CHECK_FALSE(pace.due(1001, 1));
  CHECK_FALSE(pace.due(1999, 1));
  CHECK(pace.due(2000, 1));
  pace.done(2000);
  CHECK_FALSE(pace.due(40, 1));  // it started again
  CHECK_FALSE(pace.due(999, 1));
  CHECK(pace.due(1000, 1));
}

TEST_CASE("under a stream of single commits the log stays near 1,000 pages and is never cut", "[store]") {
  SqlitePlace place;
  PumpedLoop loop;
  auto writer = open_writer(place.path());
  RunRow row = create_run(*writer);
  SqliteCommitter committer(std::move(writer));
  Answers answers;
  uintmax_t largest = 0, last = 0;
  bool grew_only = true;
  for (uint64_t seq = 2; seq <= 160; ++seq) {
    committer.submit(append_operation(row, seq, std::string(200'000, 'x'), loop, answers));
    committer.flush();
    loop.pump_until([&] { return answers.codes.size() == seq - 1; });
    last = std::filesystem::file_size(place.path() + "-wal");
    grew_only = grew_only && last >= largest;
    largest = std::max(largest, last);
  }
  CHECK(grew_only);
  CHECK(largest > 1000u * 8192);
  CHECK(largest < 1200u * 8192);
  committer.close();
  CHECK_FALSE(std::filesystem::exists(place.path() + "-wal"));
}
