// See json_text.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/json_text.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "bindings/lua/utf8_text.hpp"

namespace perilune::cli {
namespace {

void add_escape(std::string& out, unsigned point) {
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", point);
  out += text;
}

void add_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  unsigned char byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7F)
    add_escape(out, byte);
  else
    out += c;
}

// Past the string that begins at `at`, with its quotes.
size_t string_end(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return std::min(at + 1, json.size());
}

void new_line(std::string& out, int depth) { out.append("\n").append(static_cast<size_t>(depth) * 2, ' '); }

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    unsigned char byte = static_cast<unsigned char>(*at);
    if (byte < 0x80) {
      add_ascii(out, *at++);
      continue;
    }
    size_t size = lua::utf8_sequence(at, end);
    if (size == 0) {
      out += "\xEF\xBF\xBD";
      size = 1;
    } else if (byte == 0xC2 && static_cast<unsigned char>(at[1]) < 0xA0) {
      add_escape(out, static_cast<unsigned char>(at[1]));
    } else {
      out.append(at, size);
    }
    at += size;
  }
  return out += '"';
}

std::string json_pretty(std::string_view json) {
  std::string out;
  int depth = 0;
  for (size_t i = 0; i < json.size();) {
    char c = json[i];
    if (c == '"') {
      size_t end = string_end(json, i);
      out.append(json.substr(i, end - i));
      i = end;
      continue;
    }
    ++i;
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
    bool empty = (c == '{' || c == '[') && i < json.size() && (json[i] == '}' || json[i] == ']');
    if (c == '}' || c == ']') {
      if (out.empty() || (out.back() != '{' && out.back() != '[')) new_line(out, depth - 1);
      --depth;
    }
    out += c;
    if (c == '{' || c == '[') ++depth;
    if (((c == '{' || c == '[') && !empty) || c == ',') new_line(out, depth);
    if (c == ':') out += ' ';
  }
  return out;
}

void JsonText::separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

JsonText& JsonText::open(char bracket) {
  separate();
  text_ += bracket;
  first_ = true;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  text_ += bracket;
  first_ = false;
  return *this;
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  text_.append(json_quoted(name)) += ':';
  first_ = true;
  return *this;
}

JsonText& JsonText::raw(std::string_view json) {
  separate();
  text_.append(json.empty() ? "null" : json);
  return *this;
}

JsonText& JsonText::recorded(std::string_view json) {
  if (json.empty()) return null();
  return nlohmann::json::accept(json) ? raw(json) : text(json);
}

JsonText& JsonText::text(std::string_view value) { return raw(json_quoted(value)); }
JsonText& JsonText::number(int64_t value) { return raw(std::to_string(value)); }
JsonText& JsonText::boolean(bool value) { return raw(value ? "true" : "false"); }
JsonText& JsonText::null() { return raw("null"); }

}  // namespace perilune::cli
