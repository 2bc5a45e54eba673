// See owner_question.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/owner_question.hpp"

#include "bindings/cli/owner_wire.hpp"
#include "runtime/loop/local_socket.hpp"
#include "runtime/loop/uv_loop.hpp"

namespace perilune::cli {

namespace {
constexpr int64_t k_patience_us = 2'000'000;   // an owner in the middle of a long slice of Lua answers later
}

std::optional<bool> owner_executes(const StorePlace& place, const std::string& run) {
  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  auto connection = loop::LocalConnection::open(*loop, owner_socket_of(place.path));
  if (!connection.ok()) return std::nullopt;
  std::optional<bool> answer;
  auto heard = [&](const std::string& line) {
    Result<OwnerNews> news = read_news(line);
    if (news.ok() && news->kind == OwnerNews::Kind::accepted) answer = news->stays;
    loop->stop();
  };
  (*connection)->listen(heard, [&] { loop->stop(); });
  (*connection)->send(call_text(ExecutesCall{run}));
  loop->start_timer(k_patience_us, [&] { loop->stop(); });
  loop->run();
  connection->reset();
  return answer;
}

}  // namespace perilune::cli
