// The life of a question; see ask.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/ask.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/journal/payload.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::flow {

using journal::Kind;
using nlohmann::json;
using task::Outcome;

namespace {
std::string quoted(const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }
}  // namespace

Ask::Ask(Execution& execution, AskSpec spec)
    : Durable(execution, spec.question,
              flow::fingerprint({spec.choices, spec.to, std::to_string(spec.timeout_us), spec.fallback})),
      spec_(std::move(spec)), timer_(execution) {}

Ask::~Ask() { close(); }

std::string Ask::members() const {
  std::string text = "\"for\":\"answer\"";
  if (!spec_.choices.empty()) text += ",\"choices\":" + spec_.choices;
  if (!spec_.to.empty()) text += ",\"to\":" + quoted(spec_.to);
  if (!spec_.fallback.empty()) text += ",\"default\":" + spec_.fallback;
  return text;
}

void Ask::start() {
  if (spec_.timeout_us >= 0) {
    timer_.start(*this, spec_.timeout_us, [this] {
      close();
      record(Kind::timer_fired, journal::with_value({}, spec_.fallback));
    }, members(), Kind::ask_opened);
  } else if (!execution_.noted(task(), number(), Kind::ask_opened)) {
    execution_.note(remark(Kind::ask_opened, "{" + members() + "}"), true);
  }
  const journal::Record* opened = execution_.cursor().find(recorded(), Kind::ask_opened);
  question_ = opened != nullptr ? opened->seq : execution_.last_seq();
  execution_.add_question(*this);
}

void Ask::close() {
  if (question_ != 0) execution_.remove_question(*this);
  question_ = 0;
  timer_.stop();
}

Result<void> Ask::answer(const std::string& value_json, const std::string& by, std::function<void()> then) {
  if (Result<void> checked = check_answer(spec_.choices, value_json); !checked.ok()) return checked;
  close();
  record(Kind::ask_answered, answer_data(value_json, by), std::move(then));
  return {};
}

void Ask::teardown(const task::ErrorRef&) {
  close();
  record_cancelled();
}

Outcome Ask::delivered(const journal::Record& record) {
  close();
  if (record.kind == Kind::ask_answered) by_ = journal::operator_of(record);
  return Durable::delivered(record);
}

std::string Ask::describe() const { return "an answer to '" + name() + "'"; }

std::string answer_data(std::string_view value_json, const std::string& by) {
  return journal::with_value({0, 0, "\"by\":" + quoted(by)}, value_json);
}

std::string choices_of(const journal::Record& opened) {
  journal::Waits waits;
  waits.apply(opened);
  return waits.open().empty() ? std::string() : waits.open().front()->choices;
}

Result<void> check_answer(const std::string& choices, const std::string& value_json) {
  json value = json::parse(value_json, nullptr, false);
  if (value.is_discarded()) return Error(code::k_validation, "the answer is not JSON: " + value_json.substr(0, 100));
  if (choices.empty()) return {};
  json list = json::parse(choices, nullptr, false);
  std::string names;
  for (const json& choice : list) {
    if (choice == value) return {};
    names += (names.empty() ? "" : ", ") + choice.dump();
  }
  return Error(code::k_validation, value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100) +
                                       " is none of the choices: " + names);
}

}  // namespace perilune::flow
