// One pass over the bytes; a value ends where the brackets that it opened are closed. See json_members.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/base/json_members.hpp"

#include <nlohmann/json.hpp>

namespace perilune {
namespace {

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  // The next value, or empty when there is none.
  std::string_view value() {
    skip_space();
    const size_t from = at_;
    for (int depth = 0; at_ < text_.size();) {
      const char c = text_[at_];
      if (depth == 0 && (c == ',' || c == ']' || c == '}')) break;
      if (c == '"') pass_string();
      else ++at_;
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
    }
    return text_.substr(from, at_ - from);
  }

  // The next string with its quotes, or empty.
  std::string_view string() {
    skip_space();
    const size_t from = at_;
    if (at_ < text_.size() && text_[at_] == '"') pass_string();
    return text_.substr(from, at_ - from);
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  void pass_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\') ++at_;
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string text_of(std::string_view string) {
  if (string.find('\\') == std::string_view::npos) return std::string(string.substr(1, string.size() - 2));
  nlohmann::json parsed = nlohmann::json::parse(string, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string();
}

}  // namespace

bool each_member(std::string_view object, const std::function<void(std::string, std::string_view)>& visit) {
  Cutter cutter(object);
  if (!cutter.take('{')) return false;
  if (cutter.take('}')) return true;
  do {
    std::string_view key = cutter.string();
    if (key.size() < 2 || !cutter.take(':')) return false;
    std::string_view value = cutter.value();
    if (value.empty()) return false;
    visit(text_of(key), value);
  } while (cutter.take(','));
  return cutter.take('}');
}

bool each_item(std::string_view array, const std::function<void(std::string_view)>& visit) {
  Cutter cutter(array);
  if (!cutter.take('[')) return false;
  if (cutter.take(']')) return true;
  do {
    std::string_view item = cutter.value();
    if (item.empty()) return false;
    visit(item);
  } while (cutter.take(','));
  return cutter.take(']');
}

std::string_view member_of(std::string_view object, std::string_view name) {
  std::string_view found;
  each_member(object, [&](const std::string& key, std::string_view value) {
    if (found.empty() && key == name) found = value;
  });
  return found;
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace perilune
