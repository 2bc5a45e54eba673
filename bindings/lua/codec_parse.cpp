// JSON text to Lua values, the first step: parse() fills a Tape (it may allocate, it cannot raise); the second is in
// codec_push.cpp. Strict RFC 8259; UTF-8 is checked; a number without point and exponent is an
// integer as long as it fits.
// SPDX-License-Identifier: MIT
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/tape.hpp"
#include "bindings/lua/utf8_text.hpp"
#include "runtime/base/ids.hpp"

namespace perilune::lua {
namespace {

constexpr int k_depth_max = 256;

class Parser {
 public:
  Parser(std::string_view text, Tape& tape, bool raw)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), tape_(tape), raw_(raw) {}

  bool document() {
    space();
    if (!value(0)) return false;
    space();
    return at_ == end_ || fail("nothing more expected");
  }
  Error error() const;

 private:
  bool value(int depth);
  bool array(int depth);
  bool object(int depth);
  bool close_object(size_t start);
  bool word(std::string_view word, Tape::Kind kind);
  bool number();
  bool float_number(const char* start);
  bool digits();
  bool string();
  bool escape();
  bool hex4(unsigned& code);
  void append_utf8(unsigned code);

  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool next_is(char c) {
    space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  size_t add(Tape::Kind kind) {
    tape_.tokens.push_back({kind, 0, {0}});
    return tape_.tokens.size() - 1;
  }
  bool fail(const char* why) {
    if (why_ == nullptr) why_ = why;
    return false;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  Tape& tape_;
  bool raw_;
  const char* why_ = nullptr;
};

Error Parser::error() const {
  size_t line = 1, column = 1;
  for (const char* p = begin_; p != at_; ++p) {
    column = *p == '\n' ? 1 : column + 1;
    line += *p == '\n';
  }
  std::string found = at_ == end_ ? "the end of the text" : "'" + std::string(1, *at_) + "'";
  if (at_ != end_ && (static_cast<unsigned char>(*at_) < 0x20 || static_cast<unsigned char>(*at_) > 0x7E)) {
    found = "byte " + std::to_string(static_cast<unsigned char>(*at_));
  }
  return Error(code::k_validation, "JSON, line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
                                       (why_ ? why_ : "a value expected") + ", found " + found);
}

bool Parser::value(int depth) {
  if (at_ == end_) return fail("a value expected");
  switch (*at_) {
    case '{':
      return depth < k_depth_max ? object(depth) : fail("nested deeper than 256");
    case '[':
      return depth < k_depth_max ? array(depth) : fail("nested deeper than 256");
    case '"':
      return string();
    case 't':
      return word("true", Tape::Kind::k_true);
    case 'f':
      return word("false", Tape::Kind::k_false);
    case 'n':
      return word("null", Tape::Kind::k_null);
    default:
      return number();
  }
}

bool Parser::array(int depth) {
  const size_t start = add(Tape::Kind::k_array);
  ++at_;
  if (next_is(']')) return true;
  uint32_t count = 0;
  do {
    space();
    if (!value(depth + 1)) return false;
    ++count;
  } while (next_is(','));
  if (!next_is(']')) return fail("',' or ']' expected");
  tape_.tokens[start].size = count;
  return true;
}

bool Parser::object(int depth) {
  const size_t start = add(Tape::Kind::k_object);
  ++at_;
  if (next_is('}')) return true;
  uint32_t count = 0;
  do {
    space();
    if (at_ == end_ || *at_ != '"') return fail("a key in quotes expected");
    if (!string()) return false;
    if (!next_is(':')) return fail("':' expected");
    space();
    if (!value(depth + 1)) return false;
    ++count;
  } while (next_is(','));
  if (!next_is('}')) return fail("',' or '}' expected");
  tape_.tokens[start].size = count;
  return count != 1 || raw_ || close_object(start);
}

// {"$bytes":"..."} is a string that is not UTF-8; one "$" more is a user's own key.
bool Parser::close_object(size_t start) {
  Tape::Token& key = tape_.tokens[start + 1];
  std::string_view name(tape_.text.data() + key.offset, key.size);
  const size_t dollars = name.find_first_not_of('$');
  if (dollars == std::string_view::npos || dollars == 0 || name.substr(dollars) != "bytes") return true;
  if (dollars > 1) {
    ++key.offset;
    --key.size;
    return true;
  }
  const Tape::Token content = tape_.tokens[start + 2];
  std::string bytes;
  if (content.kind != Tape::Kind::k_string ||
      !base64_decode({tape_.text.data() + content.offset, content.size}, bytes)) {
    return fail("$bytes must be base64");
  }
  tape_.text.resize(key.offset);
  tape_.tokens.resize(start);
  const size_t token = add(Tape::Kind::k_string);
  tape_.tokens[token].offset = tape_.text.size();
  tape_.tokens[token].size = static_cast<uint32_t>(bytes.size());
  tape_.text += bytes;
  return true;
}

bool Parser::word(std::string_view word, Tape::Kind kind) {
  if (size_t(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
    return fail("a value expected");
  }
  at_ += word.size();
  add(kind);
  return true;
}

bool Parser::digits() {
  const char* start = at_;
  while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
  return at_ != start || fail("a digit expected");
}

bool Parser::number() {
  const char* start = at_;
  if (*at_ == '-') ++at_;
  if (at_ == end_ || *at_ < '0' || *at_ > '9') return fail(at_ == start ? "a value expected" : "a digit expected");
  if (*at_ == '0') {
    ++at_;
  } else if (!digits()) {
    return false;
  }
  bool whole = true;
  if (at_ != end_ && *at_ == '.') {
    whole = false;
    ++at_;
    if (!digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    whole = false;
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return false;
  }
  int64_t integer = 0;
  if (whole && std::from_chars(start, at_, integer).ec == std::errc()) {
    tape_.tokens[add(Tape::Kind::k_integer)].integer = integer;
    return true;
  }
  return float_number(start);
}

bool Parser::float_number(const char* start) {
  double number = 0;
  if (std::from_chars(start, at_, number).ec == std::errc::result_out_of_range) {
    number = std::strtod(std::string(start, at_).c_str(), nullptr);  // tells too small (a value near 0) from too large
    if (number > 1 || number < -1) return at_ = start, fail("a number that is too large");
  }
  tape_.tokens[add(Tape::Kind::k_number)].number = number;
  return true;
}

bool Parser::string() {
  ++at_;
  const size_t token = add(Tape::Kind::k_string);
  const size_t offset = tape_.text.size();
  const char* run = at_;
  for (;;) {
    if (at_ == end_) return fail("'\"' expected");
    const unsigned char c = static_cast<unsigned char>(*at_);
    if (c == '"') break;
    if (c < 0x20) return fail("a control character must be escaped");
    if (c == '\\') {
      tape_.text.append(run, at_);
      if (!escape()) return false;
      run = at_;
    } else if (c < 0x80) {
      ++at_;
    } else if (size_t length = utf8_sequence(at_, end_)) {
      at_ += length;
    } else {
      return fail("text that is not UTF-8");
    }
  }
  tape_.text.append(run, at_++);
  tape_.tokens[token].offset = offset;
  tape_.tokens[token].size = static_cast<uint32_t>(tape_.text.size() - offset);
  return true;
}

bool Parser::escape() {
  if (++at_ == end_) return fail("an escape expected");
  switch (*at_++) {
    case '"':
      tape_.text += '"';
      return true;
    case '\\':
      tape_.text += '\\';
      return true;
    case '/':
      tape_.text += '/';
      return true;
    case 'n':
      tape_.text += '\n';
      return true;
    case 't':
      tape_.text += '\t';
      return true;
    case 'r':
      tape_.text += '\r';
      return true;
    case 'b':
      tape_.text += '\b';
      return true;
    case 'f':
      tape_.text += '\f';
      return true;
    case 'u':
      break;
    default:
      --at_;
      return fail("an escape expected");
  }
  unsigned code = 0, low = 0;
  if (!hex4(code)) return false;
  if (code >= 0xDC00 && code <= 0xDFFF) return fail("half a surrogate pair");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return fail("half a surrogate pair");
    at_ += 2;
    if (!hex4(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return fail("half a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(code);
  return true;
}

bool Parser::hex4(unsigned& code) {
  if (end_ - at_ < 4) return fail("four hexadecimal digits expected");
  const auto parsed = std::from_chars(at_, at_ + 4, code, 16);
  if (parsed.ec != std::errc() || parsed.ptr != at_ + 4) return fail("four hexadecimal digits expected");
  at_ += 4;
  return true;
}

void Parser::append_utf8(unsigned code) {
  std::string& text = tape_.text;
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6)), tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0);
  }
}

}  // namespace

Result<void> parse(std::string_view text, Tape& tape, bool raw) {
  tape.clear();
  if (text.size() > UINT32_MAX) return Error(code::k_limit, "JSON texts over 4 GiB can't be read");
  Parser parser(text, tape, raw);
  if (parser.document()) return {};
  return parser.error();
}

}  // namespace perilune::lua
