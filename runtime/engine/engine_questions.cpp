// Answers to the questions of runs, live or not, and questions to runs. See engine.hpp.
// SPDX-License-Identifier: MIT
#include <memory>

#include "runtime/base/clock.hpp"
#include "runtime/engine/questions.hpp"
#include "runtime/engine/replayed_run.hpp"
#include "runtime/engine/run.hpp"
#include "runtime/flow/ask.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::engine {

using journal::Record;
using store::RunRow;

namespace {

// Somebody who is told once: when nobody else tells them, because the life of the run has ended, this does; but not when the
// whole engine goes, and those that it knew with it.
class Told {
 public:
  Told(std::string run, std::shared_ptr<bool> closing, std::function<void(Result<void>)> done)
      : run_(std::move(run)), closing_(std::move(closing)), done_(std::move(done)) {}
  ~Told() {
    if (done_ && !*closing_)
      done_(Error(code::k_conflict, "run '" + run_ + "' stopped before the answer was taken; look whether it stands in its journal"));
  }
  void tell(Result<void> result) {
    auto done = std::exchange(done_, nullptr);
    if (done) done(std::move(result));
  }

 private:
  std::string run_;
  std::shared_ptr<bool> closing_;
  std::function<void(Result<void>)> done_;
};

}  // namespace

void Engine::answer(const std::string& run, flow::Answer answer) {
  if (answer.by.empty()) answer.by = "somebody";
  if (sleeping_.count(run) != 0) wake(run);
  if (auto live = runs_.find(run); live != runs_.end()) return answer_live(*live->second, std::move(answer));
  auto again = [this, run, answer] { this->answer(run, answer); };
  if (comes_later(run, again, answer.done)) return;
  Result<RunRow> row = row_to_write(run, "answers");
  if (!row.ok()) return answer.done(row.error());
  answer_stored(*row, answer);
}

void Engine::answer_live(Run& run, flow::Answer answer) {
  const std::string id = run.row().id;
  auto told = std::make_shared<Told>(id, closing_, std::move(answer.done));
  answer.done = [this, id, told, number = answer.question](Result<void> result) {
    if (result.ok() || result.error().code != code::k_not_found) return told->tell(std::move(result));
    Result<Record> question = read_question(id, number);   // it knows the words
    told->tell(question.ok() ? Error(code::k_usage, "question " + std::to_string(question->seq) + " of run '" + id +
                                                        "' is being answered already")
                             : question.error());
  };
  run.execution_->answer(std::move(answer));
}

Result<Record> Engine::read_question(const std::string& run, uint64_t number) {
  Result<std::optional<RunRow>> row = reader().run(run);
  if (!row.ok()) return row.error();
  if (!row->has_value()) return Error(code::k_not_found, "no run '" + run + "' in this store");
  auto records = reader().records((*row)->no, 1, 0);
  if (!records.ok()) return records.error();
  return find_question(run, journal::living(std::move(*records)), number);
}

// The record is read when the run is resumed.
void Engine::answer_stored(const RunRow& row, const flow::Answer& answer) {
  Result<Record> opened = read_question(row.id, answer.question);
  if (!opened.ok()) return answer.done(opened.error());
  Result<void> checked = flow::check_answer(flow::choices_of(*opened), answer.value);
  if (!checked.ok()) return answer.done(checked.error());
  int64_t due_us = journal::number_of(opened->data, "due");
  if (due_us != 0 && due_us <= options_.loop->clock().wall_us())
    return answer.done(Error(code::k_usage, "question " + std::to_string(opened->seq) + " '" + opened->name +
                                                "' was open until " + rfc3339(due_us) + ": resume the run, and it goes on without an answer"));
  auto batch = [this, opened = *opened, data = flow::answer_data(answer.value, answer.by)](const RunRow& claimed) {
    Record record = opened;   // whose outcome it is
    record.seq = claimed.last_seq + 1;
    record.kind = journal::Kind::ask_answered;
    record.at_us = options_.loop->clock().wall_us();
    record.data = data;
    store::Append append;
    append.records.push_back(std::move(record));
    return append;
  };
  append_stored(row.id, batch, answer.done);
}

void Engine::query(const std::string& run, const std::string& name, const std::string& input_json,
                   const std::function<void(Result<std::string>)>& done) {
  auto copy = ReplayedRun::open({&reader(), options_.host, options_.settings, &options_.builtin_modules}, run);
  done(copy.ok() ? (*copy)->query(name, input_json) : copy.error());
}

}  // namespace perilune::engine
