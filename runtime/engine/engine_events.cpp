// The event bus over the engine's store; see engine.hpp and hooks/event_bus.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/engine.hpp"
#include "runtime/hooks/event_bus.hpp"

namespace perilune::engine {

namespace {

class StoreSource final : public hooks::EventSource {
 public:
  explicit StoreSource(std::unique_ptr<store::StoreReader> reader) : reader_(std::move(reader)) {}
  Result<journal::RecordPage> records_after(const journal::RecordQuery& query) override { return reader_->records_after(query); }
  Result<int64_t> last_position() override { return reader_->last_position(); }

 private:
  std::unique_ptr<store::StoreReader> reader_;
};

}  // namespace

hooks::EventBus& Engine::events() {
  if (events_ != nullptr) return *events_;
  hooks::EventBus::Options options;
  options.open = [store = options_.store] { return std::make_unique<StoreSource>(store->reader()); };
  if (options_.loop->uv() == nullptr)   // simulated time: nothing happens but on the loop
    options.background = [loop = options_.loop](std::function<void()> work) { loop->post(std::move(work)); };
  events_ = std::make_unique<hooks::EventBus>(std::move(options));
  options_.store->set_tap(events_->publisher());
  return *events_;
}

}  // namespace perilune::engine
