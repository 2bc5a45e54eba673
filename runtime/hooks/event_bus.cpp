// See event_bus.hpp. An observer is always in one of these states, and every change is made under the mutex:
//
//   idle --publish, go_on--> due --its loop--> serving --nothing new--> idle
//                             ^                   |  \---holds---> held --go_on--> due
//                             |                   v behind the recent records
//                             +--page taken-- reading (one page at a time, in the background)
// SPDX-License-Identifier: MIT
#include "runtime/hooks/event_bus.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "runtime/hooks/background.hpp"
#include "runtime/hooks/recent_records.hpp"

namespace perilune::hooks {

using journal::RecordPage;
using journal::RunRecord;

namespace {

enum class State : uint8_t { idle, due, serving, reading, held, gone };

struct Seat {
  EventBus::Id id = 0;
  Observation wish;
  BranchGatherer gatherer;
  std::vector<Notice> events;                       // of the call under way
  std::deque<std::vector<BranchTotals>> totals;    // that they point to
  // Under the mutex:
  State state = State::idle;
  int64_t place = 0;
  bool at_end = false;      // it has read the store to its end: without a commit there is nothing more
  bool go_on_asked = false; // while it was being served
};
using SeatRef = std::shared_ptr<Seat>;

}  // namespace

class EventBus::Core : public std::enable_shared_from_this<EventBus::Core> {
 public:
  explicit Core(Options options)
      : options_(std::move(options)), recent_(options_.recent_records_max, options_.recent_bytes_max) {}

  void publish(std::vector<RunRecord> records) {
    if (records.empty()) return;
    auto commit = std::make_shared<const Commit>(std::move(records));
    std::lock_guard lock(mutex_);
    recent_.add(std::move(commit));
    for (SeatRef& seat : std::exchange(idle_, {}))
      if (seat->state == State::idle) wake(seat);
  }

  Result<Id> observe(Observation wish) {
    auto seat = std::make_shared<Seat>();
    if (!wish.after) {
      Result<int64_t> last = options_.open()->last_position();
      if (!last.ok()) return last.error();
      wish.after = *last;
      seat->at_end = true;
    }
    seat->place = *wish.after;
    seat->wish = std::move(wish);
    std::lock_guard lock(mutex_);
    seat->id = ++last_id_;
    seats_[seat->id] = seat;
    wake(seat);
    return seat->id;
  }

  void go_on(Id id) {
    std::lock_guard lock(mutex_);
    auto found = seats_.find(id);
    if (found == seats_.end()) return;
    if (found->second->state == State::serving) found->second->go_on_asked = true;
    if (found->second->state == State::held) wake(found->second);
  }

  void leave(Id id) {
    std::lock_guard lock(mutex_);
    auto found = seats_.find(id);
    if (found == seats_.end()) return;
    found->second->state = State::gone;
    seats_.erase(found);
  }

  void leave_all() {
    std::lock_guard lock(mutex_);
    for (auto& [id, seat] : seats_) seat->state = State::gone;
    seats_.clear();
  }

  std::optional<int64_t> place(Id id) const {
    std::lock_guard lock(mutex_);
    auto found = seats_.find(id);
    return found == seats_.end() ? std::optional<int64_t>() : found->second->place;
  }

 private:
  // Under the mutex. Observers of one loop are called in one piece of its work.
  void wake(const SeatRef& seat) {
    seat->state = State::due;
    Home& home = homes_[seat->wish.home];
    home.due.push_back(seat);
    if (std::exchange(home.posted, true)) return;
    seat->wish.home->post([weak = weak_from_this(), loop = seat->wish.home] {
      if (auto self = weak.lock()) self->serve_home(loop);
    });
  }

  void serve_home(loop::Loop* loop) {
    std::vector<SeatRef> due;
    {
      std::lock_guard lock(mutex_);
      Home& home = homes_[loop];
      home.posted = false;
      due.swap(home.due);
    }
    for (const SeatRef& seat : due) serve(seat);
  }

  // One batch: whoever has more to take comes again, behind the others.
  void serve(const SeatRef& seat) {
    std::vector<std::shared_ptr<const Commit>> commits;
    int64_t place = 0;
    {
      std::lock_guard lock(mutex_);
      if (seat->state == State::gone) return;
      if (recent_.from() ? seat->place < *recent_.from() : !seat->at_end) return read_store(seat);
      place = seat->place;
      commits = recent_.after(place, options_.batch_max);
      if (commits.empty()) {
        seat->state = State::idle;
        idle_.push_back(seat);
        return;
      }
      seat->state = State::serving;
      seat->go_on_asked = false;
    }
    size_t looked_at = 0;
    for (const auto& commit : commits) {
      auto at = std::upper_bound(commit->begin(), commit->end(), place,
                                 [](int64_t position, const RunRecord& record) { return position < record.position; });
      for (; at != commit->end() && looked_at < options_.batch_max; ++at, ++looked_at) {
        add_event(*seat, *at);
        place = at->position;
      }
    }
    finish(seat, place);
  }

  // Hands over what was gathered, and notes how far the observer is.
  void finish(const SeatRef& seat, int64_t place) {
    Taken answer = seat->events.empty() ? Taken::more : seat->wish.take(seat->events);
    seat->events.clear();
    seat->totals.clear();
    std::lock_guard lock(mutex_);
    if (seat->state == State::gone) return;
    seat->place = place;
    if (answer == Taken::hold && !seat->go_on_asked) seat->state = State::held;
    else wake(seat);
  }

  void add_event(Seat& seat, const RunRecord& record) {
    const journal::RecordFilter& filter = seat.wish.filter;
    if (!seat.wish.gather) {
      if (filter.passes(record.run, record.workflow, record.record.kind)) seat.events.push_back({&record});
      return;
    }
    if (!filter.passes_run(record.run, record.workflow)) return;
    std::vector<BranchTotals> totals;
    if (!seat.gatherer.passes(record, totals) || !filter.passes_kind(record.record.kind)) return;
    if (totals.empty()) return seat.events.push_back({&record});
    seat.totals.push_back(std::move(totals));
    seat.events.push_back({&record, &seat.totals.back()});
  }

  // Under the mutex.
  void read_store(const SeatRef& seat) {
    seat->state = State::reading;
    options_.background([weak = weak_from_this(), seat] {
      if (auto self = weak.lock()) self->read_page(seat);
    });
  }

  void read_page(const SeatRef& seat) {
    journal::RecordQuery query;
    int64_t published = 0;
    {
      std::lock_guard lock(mutex_);
      if (seat->state == State::gone) return;
      query.after = seat->place;
      published = recent_.last();
    }
    query.filter = seat->wish.filter;
    if (seat->wish.gather) query.filter.kinds.clear();   // what is counted must be seen
    query.limit = static_cast<int64_t>(options_.batch_max);
    if (source_ == nullptr) source_ = options_.open();
    auto page = std::make_shared<Result<RecordPage>>(source_->records_after(query));
    // A page that is not full saw all that was committed when it was asked for, of which its filter may have dropped the end.
    if (page->ok() && !(*page)->more) (*page)->reached = std::max((*page)->reached, published);
    seat->wish.home->post([weak = weak_from_this(), seat, page] {
      if (auto self = weak.lock()) self->take_page(seat, *page);
    });
  }

  void take_page(const SeatRef& seat, const Result<RecordPage>& page) {
    {
      std::lock_guard lock(mutex_);
      if (seat->state == State::gone) return;
      seat->state = page.ok() ? State::serving : State::gone;
      seat->go_on_asked = false;
      if (page.ok()) seat->at_end = !page->more;
      else seats_.erase(seat->id);
    }
    if (!page.ok()) {
      if (seat->wish.failed) seat->wish.failed(page.error());
      return;
    }
    for (const RunRecord& record : page->records) add_event(*seat, record);
    finish(seat, page->reached);
  }

  struct Home {
    std::vector<SeatRef> due;
    bool posted = false;
  };

  Options options_;
  std::unique_ptr<EventSource> source_;   // of the background
  mutable std::mutex mutex_;              // guards all below
  RecentRecords recent_;
  std::unordered_map<Id, SeatRef> seats_;
  std::vector<SeatRef> idle_;
  std::unordered_map<loop::Loop*, Home> homes_;
  Id last_id_ = 0;
};

// The core does not own the thread: whoever gives up the core last may be that thread.
EventBus::EventBus(Options options) {
  if (!options.background) {
    background_ = std::make_shared<Background>();
    options.background = [weak = std::weak_ptr(background_)](std::function<void()> work) {
      if (auto background = weak.lock()) background->run(std::move(work));
    };
  }
  core_ = std::make_shared<Core>(std::move(options));
}

EventBus::~EventBus() {
  core_->leave_all();
  background_.reset();
}

void EventBus::publish(std::vector<RunRecord> records) { core_->publish(std::move(records)); }
std::function<void(std::vector<RunRecord>)> EventBus::publisher() {
  return [weak = std::weak_ptr(core_)](std::vector<RunRecord> records) {
    if (auto core = weak.lock()) core->publish(std::move(records));
  };
}
Result<EventBus::Id> EventBus::observe(Observation observation) { return core_->observe(std::move(observation)); }
void EventBus::go_on(Id id) { core_->go_on(id); }
void EventBus::leave(Id id) { core_->leave(id); }
std::optional<int64_t> EventBus::place(Id id) const { return core_->place(id); }

}  // namespace perilune::hooks
