// The forms of a test report; see test_report.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/test_report.hpp"

#include <unistd.h>

#include "bindings/cli/json_text.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/effects/file.hpp"

namespace perilune::cli {

using testing::Verdict;

namespace {

int64_t now_us() { return RealClock().mono_us(); }

const char* outcome_of(const Verdict& verdict) {
  if (verdict.skipped) return "skipped";
  return verdict.passed ? "passed" : "failed";
}

std::string full_name(const Verdict& verdict) {
  return verdict.suite.empty() ? verdict.name : verdict.suite + " / " + verdict.name;
}

std::string xml_quoted(std::string_view text) {
  std::string out;
  for (char c : printable_lines(text)) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string seconds(int64_t us) {
  std::string digits = std::to_string(us % 1'000'000 / 1000);
  return std::to_string(us / 1'000'000) + "." + std::string(3 - digits.size(), '0') + digits;
}

}  // namespace

TestReport::TestReport(Form form, bool quiet) : form_(form), quiet_(quiet), terminal_(terminal_of(STDOUT_FILENO)) {}

void TestReport::file(const std::string& path) {
  file_ = path;
  suite_.clear();
  file_shown_ = false;
  since_us_ = now_us();
}

void TestReport::verdict(const Verdict& verdict) {
  int64_t then_us = now_us();
  told_.push_back({file_, verdict, then_us - since_us_});
  since_us_ = then_us;
  ++(verdict.skipped ? skipped_ : verdict.passed ? passed_ : failed_);
  if (form_ == Form::people) print_people(told_.back());
  if (form_ == Form::tap) print_tap(told_.back());
}

void TestReport::line(const std::string& text) {
  if (quiet_) return;
  if (form_ == Form::people) print_out("      " + printable(text) + "\n");
  else print_err(printable(text) + "\n");
}

void TestReport::print_people(const Told& told) {
  const Verdict& verdict = told.verdict;
  if (quiet_ && (verdict.passed || verdict.skipped)) return;
  if (!file_shown_) print_out(painted(terminal_, Paint::bold, printable(told.file)) + "\n");
  file_shown_ = true;
  if (!verdict.suite.empty() && verdict.suite != suite_) print_out("  " + printable(verdict.suite) + "\n");
  suite_ = verdict.suite;
  std::string mark = verdict.skipped ? painted(terminal_, Paint::yellow, "skip")
                     : verdict.passed ? painted(terminal_, Paint::green, "ok  ")
                                      : painted(terminal_, Paint::red, "FAIL");
  print_out("    " + mark + " " + printable(verdict.name) + "  " +
            painted(terminal_, Paint::dim, short_duration(told.duration_us)) + "\n");
  if (!verdict.message.empty()) print_out(indented(printable_lines(verdict.message), "         ") + "\n");
}

void TestReport::print_tap(const Told& told) {
  if (told_.size() == 1) print_out("TAP version 14\n");
  const Verdict& verdict = told.verdict;
  print_out(std::string(verdict.passed || verdict.skipped ? "ok " : "not ok ") + std::to_string(told_.size()) + " - " +
            printable(told.file + ": " + full_name(verdict)) + (verdict.skipped ? " # SKIP" : "") + "\n");
  if (!verdict.message.empty()) print_out(indented(printable_lines(verdict.message), "# ") + "\n");
}

void TestReport::end() {
  if (form_ == Form::json) return print_json_report();
  if (form_ == Form::tap) return print_out("1.." + std::to_string(told_.size()) + "\n");
  std::string skipped = skipped_ > 0 ? ", " + std::to_string(skipped_) + " skipped" : "";
  print_out(std::to_string(passed_) + " passed, " + std::to_string(failed_) + " failed" + skipped + "\n");
}

void TestReport::print_json_report() const {
  JsonText out;
  out.open_object().key("passed").number(static_cast<int64_t>(passed_)).key("failed").number(static_cast<int64_t>(failed_));
  out.key("skipped").number(static_cast<int64_t>(skipped_)).key("tests").open_array();
  for (const Told& told : told_) {
    out.open_object().key("file").text(told.file).key("suite").text(told.verdict.suite).key("name").text(told.verdict.name);
    out.key("outcome").text(outcome_of(told.verdict)).key("message").text_or_null(told.verdict.message);
    out.key("duration_ms").number(told.duration_us / 1000).close_object();
  }
  print_json(out.close_array().close_object().str());
}

Result<void> TestReport::write_junit(const std::string& path) const {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"" + std::to_string(told_.size()) +
                    "\" failures=\"" + std::to_string(failed_) + "\" skipped=\"" + std::to_string(skipped_) + "\">\n";
  for (size_t i = 0; i < told_.size();) {   // the tests of a file stand together
    const std::string& file = told_[i].file;
    out += "  <testsuite name=\"" + xml_quoted(file) + "\">\n";
    for (; i < told_.size() && told_[i].file == file; ++i) {
      const Verdict& verdict = told_[i].verdict;
      out += "    <testcase classname=\"" + xml_quoted(file) + "\" name=\"" + xml_quoted(full_name(verdict)) + "\" time=\"" +
             seconds(told_[i].duration_us) + "\">";
      if (verdict.skipped) out += "<skipped/>";
      else if (!verdict.passed) out += "<failure message=\"" + xml_quoted(verdict.message.substr(0, verdict.message.find('\n'))) + "\">" +
                                       xml_quoted(verdict.message) + "</failure>";
      out += "</testcase>\n";
    }
    out += "  </testsuite>\n";
  }
  return effects::write_file(path, out + "</testsuites>\n");
}

}  // namespace perilune::cli
