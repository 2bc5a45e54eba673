// Targets that are functions of texts: durations, sizes, schemas, what outcome records hold, HTTP, glob patterns.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bindings/api/http_exchange.hpp"
#include "runtime/base/json_nesting.hpp"
#include "runtime/base/units.hpp"
#include "runtime/effects/file.hpp"
#include "runtime/effects/http_request_check.hpp"
#include "runtime/flow/schema.hpp"
#include "runtime/journal/payload.hpp"
#include "runtime/journal/record.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace perilune::fuzz {
namespace {

using nlohmann::json;

bool fuzz_duration(const std::string& input) {
  const Result<int64_t> us = parse_duration_us(input);
  if (!us.ok()) {
    require(us.error().code == code::k_usage && !us.error().message.empty(), "a wrong duration is an error of usage");
    return false;
  }
  require(*us >= 0 && *us <= k_duration_max_us, "a duration is within its bounds");
  const Result<int64_t> again = parse_duration_us(format_duration(*us));
  require(again.ok() && *again == *us, "a duration reads back from what is shown of it");
  return true;
}

bool fuzz_size(const std::string& input) {
  const Result<int64_t> bytes = parse_size_bytes(input);
  if (!bytes.ok()) {
    require(bytes.error().code == code::k_usage, "a wrong size is an error of usage");
    return false;
  }
  require(*bytes >= 0, "a size is not negative");
  if (*bytes > INT64_MAX / 2) return true;  // what is shown may be rounded up to more than there is
  const Result<int64_t> again = parse_size_bytes(format_size(*bytes));
  require(again.ok() && std::fabs(double(*again) - double(*bytes)) <= 0.06 * double(*bytes) + 1,
          "a size reads back from what is shown of it, to a decimal");
  return true;
}

// Two lines: a schema and a value.
bool fuzz_schema(const std::string& input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const auto schema = flow::compile_schema(input.substr(0, line), "input");
  if (!schema.ok()) {
    require(!schema.error().message.empty(), "what is wrong with a schema is said");
    return false;
  }
  const auto full = flow::compile_schema((*schema)->json_schema(), "input");
  require(full.ok(), "the full form of a schema is a schema");
  const std::string value = line < input.size() ? input.substr(line + 1) : "{}";
  if (!json::accept(value) || json_nesting(value) > k_json_nesting_max) return true;
  const auto checked = (*schema)->check(value, "input");
  require(checked.ok() == (*full)->check(value, "input").ok(), "the full form says the same of a value");
  if (!checked.ok()) return true;
  require(json::accept(*checked), "a checked value is JSON");
  const auto again = (*schema)->check(*checked, "input");
  require(again.ok() && *again == *checked, "a checked value is valid, and is not changed again");
  return true;
}

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool fuzz_payload(const std::string& input) {
  require(is_within(journal::value_of(input), input) && is_within(journal::error_of(input), input),
          "a payload is a part of its record");
  (void)journal::holds_error(input);
  (void)journal::number_of(input, "attempt");
  const std::string_view kind = std::string_view(input).substr(0, 12);
  if (auto known = journal::kind_from_name(kind)) require(journal::kind_name(*known) == kind, "kinds have one name");
  if (!json::accept(input)) return false;
  const journal::Meta meta{17, 3, "\"retry_at\":5"};
  for (const std::string& data : {journal::with_value(meta, input), journal::with_error(meta, input)}) {
    require(json::accept(data), "an outcome is JSON");
    require(journal::number_of(data, "attempt") == 3 && journal::number_of(data, "started") == 17 &&
                journal::number_of(data, "retry_at") == 5,
            "what stands before the payload is found, whatever the payload holds");
  }
  const std::string value = journal::with_value(meta, input), error = journal::with_error(meta, input);
  require(journal::value_of(value) == input && !journal::holds_error(value), "a value is cut out as it was put in");
  require(journal::error_of(error) == input && journal::holds_error(error), "an error is cut out as it was put in");
  return true;
}

// The head and the body of a response, as a client would have it read.
bool fuzz_response(const std::string& input) {
  effects::HttpResponse response;
  response.status = 200;
  size_t at = 0;
  while (at < input.size()) {
    const size_t end = std::min(input.find('\n', at), input.size());
    const std::string line = input.substr(at, end - at);
    at = end + 1;
    const size_t colon = line.find(':');
    if (line.empty() || colon == line.npos) break;
    response.headers.emplace_back(line.substr(0, colon), std::string(effects::trim_blanks(line.substr(colon + 1))));
  }
  if (at < input.size()) response.body = input.substr(at);
  require(json::accept(api::http_result_json(response)), "what a script gets of a response is JSON");
  const double wait = api::retry_after_s(response, 1'700'000'000'000'000);
  require(std::isfinite(wait) && (wait >= 0 || wait == -1), "Retry-After is a time or nothing");
  return response.headers.size() > 1;
}

// Method, URL and headers, each a line: what passes the check holds nothing that ends a line.
bool fuzz_request(const std::string& input) {
  effects::HttpRequest request;
  size_t at = 0;
  for (int n = 0; at < input.size(); ++n) {
    const size_t end = std::min(input.find('\n', at), input.size());
    const std::string line = input.substr(at, end - at);
    at = end + 1;
    const size_t colon = std::min(line.find(':'), line.size());
    if (n == 0)
      request.method = line;
    else if (n == 1)
      request.url = line;
    else
      request.headers.emplace_back(line.substr(0, colon), colon < line.size() ? line.substr(colon + 1) : "");
  }
  if (effects::check_request(request)) return false;
  const auto breaks_lines = [](const std::string& text) {
    return text.find_first_of(std::string("\r\n\0", 3)) != text.npos;
  };
  require(!request.method.empty() && request.method.find_first_of(" \t") == std::string::npos, "a method is a word");
  require(!breaks_lines(request.method) && !breaks_lines(request.url), "a request line is one line");
  for (const auto& [name, value] : request.headers) {
    require(!name.empty() && name.find_first_of(" \t:") == std::string::npos, "a header's name is a word");
    require(!breaks_lines(name) && !breaks_lines(value), "a header is one line");
  }
  return true;
}

const std::string& glob_directory() {
  static const std::string directory = [] {
    namespace fs = std::filesystem;
    const std::string made = effects::make_temp_directory("perilune-fuzz").value();
    fs::create_directories(fs::path(made) / "a/b/c");
    fs::create_directory_symlink(made, fs::path(made) / "a/loop");
    for (const char* name : {"x.lua", "a/y.lua", "a/b/z[1].txt", "a/b/c/.hidden", "a/b/\xff"})
      std::ofstream(fs::path(made) / name);
    std::atexit([] { fs::remove_all(glob_directory()); });
    return made;
  }();
  return directory;
}

bool fuzz_glob(const std::string& input) {
  if (input.find("..") != input.npos || input.find('\0') != input.npos) return false;  // stay in the directory
  const std::string root = glob_directory() + "/";
  const auto found = effects::glob_files(root + input);
  if (!found.ok()) return false;
  for (size_t i = 0; i < found->size(); ++i) {
    require((*found)[i].starts_with(root.substr(0, root.size() - 1)), "what is found is below where was looked");
    require(i == 0 || (*found)[i - 1] < (*found)[i], "what is found is sorted, each once");
  }
  return !found->empty();
}

}  // namespace

void add_text_targets(std::vector<Target>& targets) {
  targets.push_back({"duration",
                     "durations read back",
                     {"5", "1h30m", "250ms", "2d", "1.5h", "1w2d3h4m5s6ms7us"},
                     {"ms", "us", "s", "m", "h", "d", "w", ".", " ", "-", "+", "e9"},
                     fuzz_duration});
  targets.push_back({"size",
                     "sizes read back",
                     {"64KiB", "1MB", "65536", "1.5GiB", "8EB"},
                     {"B", "KB", "MB", "GB", "KiB", "MiB", "GiB", ".", "-", " "},
                     fuzz_size});
  targets.push_back(
      {"schema",
       "both forms of a schema agree, and a checked value stays as it is",
       {"{\"sku\":\"string\",\"n\":{\"type\":\"integer\",\"default\":1}}\n{\"sku\":\"x\"}",
        "{\"a\":\"number?\",\"b\":{\"c\":\"array\"}}\n{\"b\":{\"c\":[1]}}", "\"integer\"\n5",
        "{\"type\":\"object\",\"properties\":{\"x\":{\"anyOf\":[\"string\",{\"enum\":[1,null]}]}}}\n{\"x\":1}",
        "{\"type\":\"array\",\"items\":\"string\",\"minItems\":1}\n[\"a\"]",
        "{\"type\":\"string\",\"format\":\"date-time\"}\n\"2024-01-01T00:00:00Z\"",
        "{\"type\":\"string\",\"pattern\":\"^a+$\",\"maxLength\":5}\n\"aaa\""},
       {"\"string\"",
        "\"integer\"",
        "\"object\"",
        "\"array\"",
        "\"any\"",
        "\"required\":[\"a\"]",
        "\"$ref\":\"#\"",
        "\"default\":",
        "\"optional\":true",
        "\"const\":1",
        "\"not\":{}",
        "\"if\":{}",
        "\"$defs\":{}",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "\"additionalProperties\":false",
        "\"minimum\":0",
        "\"oneOf\":[",
        "\n"},
       fuzz_schema});
  targets.push_back({"payload",
                     "the payload of an outcome is found, whatever it holds",
                     {"{\"started\":17,\"attempt\":2,\"value\":{\"a\":1}}", "{\"error\":{\"code\":\"x\"}}",
                      "[1,\"value\",null]", "\"\\\",\\\"value\\\":\"", "{}", "{\"attempt\":9,\"error\":1,\"value\":2}"},
                     {"\"value\":", "\"error\":", "\"attempt\":", "\"started\":", "{", "}", "\\\"", ",", "step_done"},
                     fuzz_payload});
  targets.push_back(
      {"response",
       "every response is a result",
       {"Content-Type: application/json\nRetry-After: 5\n\n{\"a\":1}", "Set-Cookie: a=b\nset-cookie: c\n\n\xff\xfe",
        "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\n\n", "content-type: text/html; charset=x\nX:\n\nbody"},
       {"Content-Type: application/json\n", "Retry-After: ", "GMT", "\n\n", ": ", "Thu, 01 Jan 1970 00:00:00 GMT", "\r",
        "set-cookie: x\n", "application/vnd.x+json", "{\"a\":[", "\xf0\x9f"},
       fuzz_response});
  targets.push_back(
      {"request",
       "no request that is sent breaks its own lines",
       {"GET\nhttp://example.org/a?b=c\nAccept: x", "POST\nhttps://h:8080/\nA: b\nC: d", "X-Y\nhttp://[::1]/\n"},
       {"\r", "http://", "file:///", " ", ":", "Content-Length: 5", "Transfer-Encoding: chunked", "Host: x", "@",
        "%0d%0a"},
       fuzz_request});
  targets.push_back({"glob",
                     "patterns find files below, sorted, or are errors",
                     {"*.lua", "**/*.txt", "a/[a-c]/?", "a/b/z\\[1\\].txt", "**", "a/**/c/.h*", "[!x]*"},
                     {"*", "**", "?", "[", "]", "[!", "[^", "-", "/", "\\", "**/", "a/loop/"},
                     fuzz_glob});
}

}  // namespace perilune::fuzz
