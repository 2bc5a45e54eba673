// Compiling of patterns; see pattern.hpp. What is wrong with a pattern becomes a node that raises when it is reached,
// and ends the row. SPDX-License-Identifier: MIT
#include <cctype>
#include <cstring>

#include "bindings/lua/pattern.hpp"

namespace perilune::lua {
namespace {

using Node = PatternNode;
using Byte = unsigned char;

// Whether `c` is of the class `letter`. Capitals are complements.
bool is_of_class(Byte c, Byte letter) {
  bool is = false;
  switch (std::tolower(letter)) {
    case 'a':
      is = std::isalpha(c) != 0;
      break;
    case 'c':
      is = std::iscntrl(c) != 0;
      break;
    case 'd':
      is = std::isdigit(c) != 0;
      break;
    case 'g':
      is = std::isgraph(c) != 0;
      break;
    case 'l':
      is = std::islower(c) != 0;
      break;
    case 'p':
      is = std::ispunct(c) != 0;
      break;
    case 's':
      is = std::isspace(c) != 0;
      break;
    case 'u':
      is = std::isupper(c) != 0;
      break;
    case 'w':
      is = std::isalnum(c) != 0;
      break;
    case 'x':
      is = std::isxdigit(c) != 0;
      break;
    case 'z':
      is = c == 0;
      break;
    default:
      break;
  }
  return is != (std::isupper(letter) != 0);
}

void add_range(PatternSet& set, unsigned from, unsigned to) {
  for (unsigned c = from; c <= to; ++c) set.words[c >> 6] |= uint64_t(1) << (c & 63);
}

constexpr char k_class_letters[] = "acdglpsuwxzACDGLPSUWXZ";

// The sets of the classes, made once. Null for a letter that names none.
const PatternSet* class_set(Byte letter) {
  struct Sets {
    PatternSet sets[sizeof k_class_letters - 1] = {};
    Sets() {
      for (size_t i = 0; i < std::size(sets); ++i) {
        for (unsigned c = 0; c < 256; ++c) {
          if (is_of_class(Byte(c), Byte(k_class_letters[i]))) add_range(sets[i], c, c);
        }
      }
    }
  };
  static const Sets all;
  const char* found = letter == 0 ? nullptr : std::strchr(k_class_letters, letter);
  return found == nullptr ? nullptr : &all.sets[found - k_class_letters];
}

void add_class(PatternSet& set, Byte letter) {
  const PatternSet* members = class_set(letter);
  if (members == nullptr) return add_range(set, letter, letter);
  for (size_t i = 0; i < std::size(set.words); ++i) set.words[i] |= members->words[i];
}

// Turns a pattern into nodes. What does not fit into the storage is counted and not written.
class Compiler {
 public:
  Compiler(const char* text, size_t size, Node* nodes, int nodes_max, PatternSet* sets, int sets_max)
      : at_(text), end_(text + size), nodes_(nodes), nodes_max_(nodes_max), sets_(sets), sets_max_(sets_max) {}

  void run() {
    while (at_ != end_ && !stopped_) item();
    flush_text();
    emit(Node::k_end);
  }
  int nodes() const { return node_count_; }
  int sets() const { return set_count_; }
  int captures() const { return captures_; }

 private:
  // The new node, to be completed by the caller.
  Node& emit(Node::Kind kind, uint8_t value = 0, uint8_t other = 0, Node::Repeat repeat = Node::k_once) {
    Node& node = node_count_ < nodes_max_ ? nodes_[node_count_] : uncounted_;
    ++node_count_;
    node.kind = kind;
    node.repeat = repeat;
    node.value = value;
    node.other = other;
    return node;
  }
  void mistake(Node::Mistake what, uint8_t value = 0) {
    emit(Node::k_mistake, value, what);
    stopped_ = true;
  }
  void flush_text() {
    if (text_ == nullptr) return;
    Node& node = emit(Node::k_text);
    node.text = text_;
    node.size = uint32_t(text_end_ - text_);
    text_ = nullptr;
  }

  void item();
  void escape();
  void open();
  void close();
  void reference(Byte digit);
  void balanced();
  void frontier();
  void one_byte(Node::Kind kind, Byte value, const PatternSet* set);
  bool read_set(const char* from, const PatternSet*& set, const char*& behind);
  const char* end_of_set(const char* from) const;
  void fill_set(PatternSet& set, const char* from, const char* closing) const;

  const char* at_;
  const char* const end_;
  Node* nodes_;
  const int nodes_max_;
  PatternSet* sets_;
  const int sets_max_;
  Node uncounted_;
  int node_count_ = 0, set_count_ = 0, captures_ = 0;
  bool stopped_ = false;
  bool closed_[k_captures_max] = {};
  const char* text_ = nullptr;  // bytes that stand for themselves, not yet a node
  const char* text_end_ = nullptr;
};

void Compiler::item() {
  const Byte c = Byte(*at_);
  if (c == '(') return open();
  if (c == ')') return close();
  if (c == '%') return escape();
  if (c == '$' && at_ + 1 == end_) {
    flush_text();
    ++at_;
    emit(Node::k_at_end);
    return;
  }
  if (c == '[') {
    const PatternSet* set = nullptr;
    const char* behind = nullptr;
    flush_text();
    if (!read_set(at_, set, behind)) return mistake(Node::k_no_bracket);
    at_ = behind;
    return one_byte(Node::k_set, 0, set);
  }
  ++at_;
  one_byte(c == '.' ? Node::k_any : Node::k_byte, c, nullptr);
}

void Compiler::escape() {
  if (at_ + 1 == end_) {
    flush_text();
    return mistake(Node::k_ends_with_escape);
  }
  const Byte letter = Byte(at_[1]);
  if (std::isdigit(letter)) return reference(letter);
  if (letter == 'b') return balanced();
  if (letter == 'f') return frontier();
  at_ += 2;
  const PatternSet* set = class_set(letter);
  one_byte(set != nullptr ? Node::k_set : Node::k_byte, letter, set);
}

// An item that matches one byte, with the quantifier that may follow: it stands before at_. A byte without one joins
// the text before it, where that ends just there in the pattern.
void Compiler::one_byte(Node::Kind kind, Byte value, const PatternSet* set) {
  const char* const byte = at_ - 1;
  const char quantifier = at_ == end_ ? 0 : *at_;
  Node::Repeat repeat = Node::k_once;
  switch (quantifier) {
    case '?':
      repeat = Node::k_optional;
      break;
    case '*':
      repeat = Node::k_greedy;
      break;
    case '+':
      repeat = Node::k_greedy_one;
      break;
    case '-':
      repeat = Node::k_lazy;
      break;
    default:
      break;
  }
  if (repeat != Node::k_once) ++at_;
  if (repeat == Node::k_once && kind == Node::k_byte) {
    if (text_ != nullptr && text_end_ == byte) {
      ++text_end_;
      return;
    }
    flush_text();
    text_ = byte;
    text_end_ = byte + 1;
    return;
  }
  flush_text();
  emit(kind, value, 0, repeat).set = set;
}

void Compiler::open() {
  flush_text();
  if (captures_ == k_captures_max) return mistake(Node::k_too_many_captures);
  const bool position = at_ + 1 != end_ && at_[1] == ')';
  at_ += position ? 2 : 1;
  closed_[captures_] = position;
  emit(position ? Node::k_position : Node::k_open, uint8_t(captures_++));
}

void Compiler::close() {
  flush_text();
  ++at_;
  for (int i = captures_ - 1; i >= 0; --i) {
    if (closed_[i]) continue;
    closed_[i] = true;
    emit(Node::k_close, uint8_t(i));
    return;
  }
  mistake(Node::k_nothing_to_close);
}

void Compiler::reference(Byte digit) {
  flush_text();
  at_ += 2;
  const int number = digit - '1';
  if (number < 0 || number >= captures_ || !closed_[number]) return mistake(Node::k_bad_reference, uint8_t(number + 1));
  emit(Node::k_reference, uint8_t(number));
}

void Compiler::balanced() {
  flush_text();
  if (end_ - at_ < 4) return mistake(Node::k_no_pair);
  emit(Node::k_balanced, uint8_t(at_[2]), uint8_t(at_[3]));
  at_ += 4;
}

void Compiler::frontier() {
  flush_text();
  if (end_ - at_ < 3 || at_[2] != '[') return mistake(Node::k_no_set);
  const PatternSet* set = nullptr;
  const char* behind = nullptr;
  if (!read_set(at_ + 2, set, behind)) return mistake(Node::k_no_bracket);
  at_ = behind;
  emit(Node::k_frontier).set = set;
}

// `from` is at the '['. False when there is no ']'.
bool Compiler::read_set(const char* from, const PatternSet*& set, const char*& behind) {
  const char* const closing = end_of_set(from + 1);
  if (closing == nullptr) return false;
  if (set_count_ < sets_max_) {
    fill_set(sets_[set_count_], from + 1, closing);
    set = &sets_[set_count_];
  }
  ++set_count_;
  behind = closing + 1;
  return true;
}

// The first member may be a ']' that stands for itself; one behind a '%' always does.
const char* Compiler::end_of_set(const char* from) const {
  const char* at = from;
  if (at != end_ && *at == '^') ++at;
  do {
    if (at == end_) return nullptr;
    const char c = *at++;
    if (c == '%' && at != end_) ++at;
  } while (at == end_ || *at != ']');
  return at;
}

void Compiler::fill_set(PatternSet& set, const char* from, const char* closing) const {
  set = {};
  const bool complement = from != closing && *from == '^';
  for (const char* at = complement ? from + 1 : from; at < closing; ++at) {
    if (*at == '%') {  // in "[a-%%]", where the range takes the first %, the second escapes the bracket: so does Lua
      add_class(set, Byte(*++at));
    } else if (at + 2 < closing && at[1] == '-') {
      add_range(set, Byte(at[0]), Byte(at[2]));
      at += 2;
    } else {
      add_range(set, Byte(*at), Byte(*at));
    }
  }
  if (!complement) return;
  for (uint64_t& word : set.words) word = ~word;
}

}  // namespace

void Pattern::compile(lua_State* L, const char* text, size_t size) {
  Compiler first(text, size, small_nodes_, k_small_nodes, small_sets_, k_small_sets);
  first.run();
  nodes_ = small_nodes_;
  capture_count_ = first.captures();
  State::of(L).charge(L, int64_t(size));
  if (first.nodes() <= k_small_nodes && first.sets() <= k_small_sets) return;
  const size_t set_bytes = size_t(first.sets()) * sizeof(PatternSet);
  auto* sets = static_cast<PatternSet*>(lua_newuserdatauv(L, set_bytes + size_t(first.nodes()) * sizeof(Node), 0));
  nodes_ = reinterpret_cast<Node*>(sets + first.sets());
  Compiler(text, size, nodes_, first.nodes(), sets, first.sets()).run();
}

Pattern* Pattern::push_compiled(lua_State* L, const char* text, size_t size) {
  auto* pattern = static_cast<Pattern*>(lua_newuserdatauv(L, sizeof(Pattern), 1));
  const int top = lua_gettop(L);
  pattern->compile(L, text, size);
  if (lua_gettop(L) > top) lua_setiuservalue(L, top, 1);
  return pattern;
}

}  // namespace perilune::lua
