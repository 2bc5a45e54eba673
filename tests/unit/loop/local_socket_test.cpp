// Lines over a Unix socket: whole, in order, peers that go.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <catch2/catch.hpp>

#include "runtime/loop/local_socket.hpp"
#include "runtime/loop/uv_loop.hpp"

using namespace perilune;
using loop::LocalConnection;
using loop::LocalListener;

namespace {

// A name that no other process has.
std::string name_for(const char* test) { return "perilune-test-" + std::to_string(getpid()) + "-" + test; }

// What a server that answers each line with itself gives back.
std::vector<std::string> echoed(const std::string& name, const std::vector<std::string>& lines) {
  auto loop = loop::make_uv_loop();
  std::unique_ptr<LocalConnection> served;
  auto listener = LocalListener::open(*loop, name, [&](std::unique_ptr<LocalConnection> connection) {
    served = std::move(connection);
    served->listen([&](const std::string& line) { served->send(line); }, [] {});
  });
  REQUIRE(listener.ok());
  auto client = LocalConnection::open(*loop, name);
  REQUIRE(client.ok());
  std::vector<std::string> got;
  (*client)->listen(
      [&](std::string line) {
        got.push_back(std::move(line));
        if (got.size() == lines.size()) loop->stop();
      },
      [] {});
  for (const std::string& line : lines) (*client)->send(line);
  loop->run();
  client->reset();
  served.reset();
  listener->reset();
  return got;
}

}  // namespace

TEST_CASE("lines come whole and in order, however long they are", "[loop][socket]") {
  std::vector<std::string> lines{"one", "", std::string(3 << 20, 'x'), "last"};
  CHECK(echoed(name_for("echo"), lines) == lines);
}

TEST_CASE("a peer that goes is told of once, and nobody listening is an error", "[loop][socket]") {
  const std::string name = name_for("gone");
  auto loop = loop::make_uv_loop();
  CHECK_FALSE(LocalConnection::open(*loop, name).ok());
  int closed = 0;
  std::unique_ptr<LocalConnection> served;
  auto listener = LocalListener::open(*loop, name, [&](std::unique_ptr<LocalConnection> connection) {
    served = std::move(connection);
    served->listen([&](const std::string&) { served.reset(); }, [] {});
  });
  auto client = LocalConnection::open(*loop, name);
  REQUIRE(client.ok());
  (*client)->listen([](const std::string&) {}, [&] {
    ++closed;
    loop->stop();
  });
  (*client)->send("go away");
  loop->run();
  CHECK(closed == 1);
  CHECK_FALSE(LocalListener::open(*loop, name, {}).ok());   // one listens at a time
  (*client)->send("to nobody");   // no effect
}
