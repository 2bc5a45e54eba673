// Near names, for messages only: nothing is ever decided by them.
// SPDX-License-Identifier: MIT
#include "runtime/base/nearest.hpp"

#include <algorithm>
#include <cctype>

namespace perilune {
namespace {

constexpr size_t k_word_max = 64;  // nobody mistypes a longer word by a letter or two
constexpr size_t k_shown_max = 60;
constexpr size_t k_prefix_min = 2;
constexpr size_t k_not_near = static_cast<size_t>(-1);

// Changes (insert, remove, replace a letter, or swap two neighbours) that make `b` of `a`.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// How far `name` is from what was meant by `word`: less is nearer; prefixes come after all near spellings.
size_t farness(std::string_view word, std::string_view name) {
  if (name.empty() || name.size() > k_word_max) return k_not_near;
  if (equal_but_for_case(word, name)) return 0;
  const size_t changes = distance(word, name);
  if (changes <= std::max<size_t>(1, word.size() / 3) && changes < word.size()) return changes;
  const bool prefix =
      std::min(word.size(), name.size()) >= k_prefix_min && (word.starts_with(name) || name.starts_with(word));
  return prefix ? k_word_max + changes : k_not_near;
}

std::string shown(std::string_view word) {
  std::string text;
  for (unsigned char c : word.substr(0, k_shown_max)) text += std::iscntrl(c) ? '?' : static_cast<char>(c);
  if (word.size() > k_shown_max) text += "...";
  return text;
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string_view> names) {
  if (word.empty() || word.size() > k_word_max) return "";
  std::string_view best;
  size_t best_farness = k_not_near;
  for (std::string_view name : names) {
    const size_t far = farness(word, name);
    if (far >= best_farness) continue;
    best = name;
    best_farness = far;
  }
  return std::string(best);
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  return nearest(word, std::span<const std::string_view>(views));
}

std::string unknown_name(std::string_view what, std::string_view word, std::string_view where,
                         std::span<const std::string_view> valid) {
  std::string text = "unknown " + std::string(what) + " '" + shown(word) + "'";
  if (!where.empty()) text += " of " + std::string(where);
  const std::string near = nearest(word, valid);
  if (!near.empty()) return text + ": did you mean '" + near + "'?";
  for (size_t i = 0; i < valid.size(); ++i) text += (i == 0 ? ": valid are " : ", ") + std::string(valid[i]);
  return text;
}

}  // namespace perilune
