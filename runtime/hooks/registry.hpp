// The hooks from outside of scripts (hook files, C++) of one engine: who listens where, and the calling of them.
//
//   ask:  one after another, greater priorities first, until one ends the round; what they decide is the caller's to record
//   tell: each hook has a queue of its own and hears the events in order; nobody waits for it, but for the end of its run
//
// A hook is called once for an event and answers later or at once. One that fails fails what it stood before, else the log has
// it. Everything on the loop's thread. Uses points, decision.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/hooks/decision.hpp"

namespace perilune::hooks {

struct RunFacts {
  std::string id, workflow;
  int64_t version = 1;
  std::string input;          // JSON text
  std::string session, parent;
};

struct Event {
  Point point = Point::own;
  std::string name;           // the point's, or the own event's
  std::string fields;         // members of a JSON object, as text
  std::string input_name;     // what replace{...} changes: "input", "value", or empty
  std::string input;          // its JSON text, or empty
  std::shared_ptr<const RunFacts> run;
};

// The event and its run as JSON objects.
std::string event_json(const Event& event);
std::string run_json(const RunFacts& run);

class Hook {
 public:
  using Done = std::function<void(Result<Decision>)>;   // nothing() where it said nothing
  virtual ~Hook() = default;
  virtual void call(std::shared_ptr<const Event> event, Done done) = 0;
};

struct Listening {
  std::string pattern;
  double priority = 0;
  bool once = false;
  std::string by;             // "hooks/limits.lua", "C++"
};

class Registry {
 public:
  using Id = uint64_t;
  using Complain = std::function<void(const RunFacts& run, const std::string& text)>;
  // `complain` is told of hooks that failed where nothing else tells of it.
  explicit Registry(Complain complain) : complain_(std::move(complain)) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Errors: those of points_matching.
  Result<Id> add(Listening listening, std::unique_ptr<Hook> hook);
  void remove(Id id);

  bool empty() const { return listeners_.empty(); }
  bool listens(Point point) const { return counts_[static_cast<size_t>(point)] != 0; }
  // Somebody listens to an event of scripts with that name.
  bool listens_own(std::string_view name) const;

  // What comes of a round: `done` is called once, unless what this gives has gone before.
  std::shared_ptr<void> ask(Event event, std::function<void(Decision)> done);
  void tell(Event event);

  void complain(const RunFacts& run, const std::string& text) { complain_(run, text); }

  // Calls `done` when no event of the run is on its way to a hook any more; at once, when none is.
  void when_told(const std::string& run, std::function<void()> done);

 private:
  struct Listener;
  struct Round;
  std::vector<std::shared_ptr<Listener>> listeners(Point point, std::string_view name) const;
  void go_on(std::shared_ptr<Round> round);
  void deliver(const std::shared_ptr<Listener>& listener);
  void told(const std::string& run);
  void drop(const std::shared_ptr<Listener>& listener);

  Complain complain_;
  uint32_t counts_[k_points_count + 1] = {};
  std::vector<std::shared_ptr<Listener>> listeners_;   // in the order in which they are called
  Id last_id_ = 0;
  std::unordered_map<std::string, size_t> untold_;     // events on their way, by run
  std::unordered_map<std::string, std::vector<std::function<void()>>> waiting_;
};

}  // namespace perilune::hooks
