// See registry.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/registry.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace perilune::hooks {

using nlohmann::json;

namespace {
constexpr size_t k_queue_max = 10'000;   // events that wait for one hook

std::string quoted(const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

bool is_before(Point point) { return point != Point::own && std::string_view(row_of(point).name).ends_with(".before"); }
}  // namespace

std::string event_json(const Event& event) {
  std::string text = "{\"point\":" + quoted(event.name);
  if (!event.fields.empty()) text += "," + event.fields;
  if (!event.input_name.empty() && !event.input.empty()) text += ",\"" + event.input_name + "\":" + event.input;
  return text + "}";
}

std::string run_json(const RunFacts& run) {
  std::string text = "{\"id\":" + quoted(run.id) + ",\"workflow\":" + quoted(run.workflow) + ",\"version\":" + std::to_string(run.version);
  if (!run.session.empty()) text += ",\"session\":" + quoted(run.session);
  if (!run.parent.empty()) text += ",\"parent\":" + quoted(run.parent);
  return text + ",\"input\":" + (run.input.empty() ? "{}" : run.input) + "}";
}

struct Registry::Listener {
  Id id = 0;
  Listening listening;
  std::vector<Point> points;     // empty: events of scripts alone
  std::unique_ptr<Hook> hook;
  bool removed = false;
  std::deque<std::shared_ptr<const Event>> queue;   // of tell
  bool busy = false;
  size_t dropped = 0;

  bool hears(Point point, std::string_view name) const {
    if (point == Point::own) return (points.empty() || listening.pattern == "*") && matches_own(listening.pattern, name);
    return std::find(points.begin(), points.end(), point) != points.end();
  }
};

struct Registry::Round {
  Event event;
  std::vector<std::shared_ptr<Listener>> left;   // newest last: taken from the end
  Decision decision;
  std::function<void(Decision)> done;
};

Result<Registry::Id> Registry::add(Listening listening, std::unique_ptr<Hook> hook) {
  Result<std::vector<Point>> points = points_matching(listening.pattern, false);
  if (!points.ok()) return points.error();
  auto listener = std::make_shared<Listener>();
  listener->id = ++last_id_;
  listener->points = std::move(*points);
  listener->hook = std::move(hook);
  for (Point point : listener->points) ++counts_[static_cast<size_t>(point)];
  if (listener->points.empty() || listening.pattern == "*") ++counts_[static_cast<size_t>(Point::own)];
  auto place = std::find_if(listeners_.begin(), listeners_.end(),
                            [&](const auto& other) { return other->listening.priority < listening.priority; });
  listener->listening = std::move(listening);
  listeners_.insert(place, listener);
  return listener->id;
}

void Registry::remove(Id id) {
  for (const auto& listener : listeners_)
    if (listener->id == id) return drop(std::shared_ptr<Listener>(listener));
}

void Registry::drop(const std::shared_ptr<Listener>& listener) {
  if (std::exchange(listener->removed, true)) return;
  for (Point point : listener->points) --counts_[static_cast<size_t>(point)];
  if (listener->points.empty() || listener->listening.pattern == "*") --counts_[static_cast<size_t>(Point::own)];
  std::erase(listeners_, listener);
  auto queue = std::move(listener->queue);
  listener->queue.clear();
  for (const auto& event : queue) told(event->run->id);
}

bool Registry::listens_own(std::string_view name) const {
  return listens(Point::own) && !listeners(Point::own, name).empty();
}

std::vector<std::shared_ptr<Registry::Listener>> Registry::listeners(Point point, std::string_view name) const {
  std::vector<std::shared_ptr<Listener>> found;
  for (const auto& listener : listeners_)
    if (listener->hears(point, name)) found.push_back(listener);
  return found;
}

std::shared_ptr<void> Registry::ask(Event event, std::function<void(Decision)> done) {
  auto round = std::make_shared<Round>();
  round->left = listeners(event.point, event.name);
  std::reverse(round->left.begin(), round->left.end());
  round->event = std::move(event);
  round->done = std::move(done);
  go_on(round);
  return round;
}

void Registry::go_on(std::shared_ptr<Round> round) {
  while (!round->left.empty() && round->left.back()->removed) round->left.pop_back();
  if (round->left.empty() || round->decision.ends_round()) {
    auto done = std::move(round->done);
    return done(std::move(round->decision));
  }
  auto listener = std::move(round->left.back());
  round->left.pop_back();
  if (listener->listening.once) drop(listener);
  std::weak_ptr<Round> open = round;
  auto answered = [this, open, listener](Result<Decision> said) {
    auto going = open.lock();
    if (going == nullptr) return;   // nobody waits for it any more
    const Event& asked = going->event;
    if (!said.ok() && is_before(asked.point)) {
      Error error = std::move(said.error());
      error.message = "a hook of " + listener->listening.by + " failed: " + error.message;
      hooks::add(going->decision, failure(error, listener->listening.by));
    } else if (!said.ok()) {
      complain_(*asked.run, "a hook of " + listener->listening.by + " failed at " + asked.name + ": " + one_line(said.error()));
    } else if (!said->nothing()) {
      said->by = listener->listening.by;
      if (!said->input.empty() && !said->ends_round()) going->event.input = said->input;
      if (!said->value.empty() && !said->ends_round()) going->event.input = said->value;
      hooks::add(going->decision, std::move(*said));
    }
    go_on(going);
  };
  listener->hook->call(std::make_shared<const Event>(round->event), std::move(answered));
}

void Registry::tell(Event event) {
  auto shared = std::make_shared<const Event>(std::move(event));
  for (const auto& listener : listeners(shared->point, shared->name)) {
    if (listener->queue.size() >= k_queue_max) {
      if (listener->dropped++ == 0)
        complain_(*shared->run, "a hook of " + listener->listening.by + " on '" + listener->listening.pattern +
                                    "' is too slow: it does not hear of events that find " + std::to_string(k_queue_max) + " waiting");
      continue;
    }
    ++untold_[shared->run->id];
    listener->queue.push_back(shared);
    if (listener->listening.once) {
      auto rest = std::move(listener->queue);
      listener->queue.clear();
      drop(listener);
      listener->queue = std::move(rest);
    }
    if (!listener->busy) deliver(listener);
  }
}

void Registry::deliver(const std::shared_ptr<Listener>& listener) {
  if (listener->queue.empty()) return;
  auto event = std::move(listener->queue.front());
  listener->queue.pop_front();
  listener->busy = true;
  listener->hook->call(event, [this, listener, event](Result<Decision> said) {
    listener->busy = false;
    if (!said.ok())
      complain_(*event->run, "a hook of " + listener->listening.by + " failed at " + event->name + ": " + one_line(said.error()));
    told(event->run->id);
    deliver(listener);
  });
}

void Registry::told(const std::string& run) {
  auto found = untold_.find(run);
  if (--found->second > 0) return;
  untold_.erase(found);
  auto node = waiting_.extract(run);
  if (node.empty()) return;
  for (auto& done : node.mapped()) done();
}

void Registry::when_told(const std::string& run, std::function<void()> done) {
  if (untold_.count(run) == 0) return done();
  waiting_[run].push_back(std::move(done));
}

}  // namespace perilune::hooks
