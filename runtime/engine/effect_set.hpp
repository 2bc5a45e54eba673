// The effects of one worker, each made at its first use: a run that starts no process pays for none. In tests something
// may stand in for all of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/effects/http_client.hpp"
#include "runtime/effects/offload.hpp"
#include "runtime/effects/process.hpp"
#include "runtime/effects/stand_in.hpp"

namespace perilune::engine {

class EffectSet {
 public:
  explicit EffectSet(loop::Loop& loop, effects::StandIn* stand_in = nullptr) : loop_(loop), stand_in_(stand_in) {}
  effects::StandIn* stand_in() { return stand_in_; }   // null: the world is real
  effects::ProcessRunner& process() {
    if (!process_) process_ = effects::make_process_runner(loop_);
    return *process_;
  }
  effects::HttpClient& http() {
    if (!http_) http_ = effects::make_http_client(loop_);
    return *http_;
  }
  effects::Offload& offload() {
    if (!offload_) offload_ = effects::make_offload(loop_);
    return *offload_;
  }

 private:
  loop::Loop& loop_;
  effects::StandIn* stand_in_;
  std::unique_ptr<effects::ProcessRunner> process_;
  std::unique_ptr<effects::HttpClient> http_;
  std::unique_ptr<effects::Offload> offload_;
};

}  // namespace perilune::engine
