// perilune answer: answers a question that a run asks; the answer is on disk when this returns, and the run takes it when it
// goes on. SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/person.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/session.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/engine/questions.hpp"
#include "runtime/flow/ask.hpp"
#include "runtime/journal/generations.hpp"

namespace perilune::cli {

using nlohmann::json;

namespace {

// A choice may be given as it is read; everything else is JSON.
Result<std::string> value_of(const std::string& typed, const std::string& choices) {
  std::string as_text = json(typed).dump(-1, ' ', false, json::error_handler_t::replace);
  if (!choices.empty() && flow::check_answer(choices, as_text).ok()) return as_text;
  if (json::accept(typed)) return typed;
  if (!choices.empty()) return flow::check_answer(choices, as_text).error();
  return Error(code::k_validation, "the answer is not JSON: " + typed + " (a text is written " + shell_quoted(as_text) + ")");
}

}  // namespace

int verb_answer(const AnswerOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  auto records = view->reader->records(row->no, 1, 0);
  if (!records.ok()) return complain(records.error());
  Result<journal::Record> question = engine::find_question(row->id, journal::living(std::move(*records)),
                                                           static_cast<uint64_t>(options.question));
  if (!question.ok()) return complain(question.error(), command(options, "status", row->id));
  Result<std::string> value = value_of(options.value, flow::choices_of(*question));
  if (!value.ok()) return complain(value.error());
  bool owned = owner_of(*view) != 0;   // whoever has the store wakes the run
  view->reader.reset();
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  std::string by = person(options.by);
  Result<void> answered = (*opened)->answer(row->id, question->seq, *value, by);
  if (!answered.ok()) return complain(answered.error());
  if (options.json)
    print_json(JsonText().open_object().key("run").text(row->id).key("question").number(static_cast<int64_t>(question->seq))
                   .key("value").raw(*value).key("by").text(by).close_object().take());
  else if (!options.quiet)
    print_err("run " + printable(row->id) + " has its answer to '" + printable(question->name) + "'" +
              (owned ? "\n" : "; it goes on with\n  " + command(options, "resume", row->id) + "\n"));
  return k_exit_ok;
}

}  // namespace perilune::cli
