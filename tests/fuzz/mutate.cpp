// Mutations: bytes flipped, put in and cut out, numbers at their borders, words of the target, pieces of other inputs,
// and pieces repeated. SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/fuzz/fuzz.hpp"

namespace perilune::fuzz {
namespace {

size_t place(const std::string& text, Random& random) { return random.below(text.size() + 1); }

std::string piece(const std::string& text, Random& random) {
  const size_t from = place(text, random);
  return text.substr(from, random.below(24));
}

void change_once(std::string& text, const std::vector<std::string>& corpus, const std::vector<std::string>& words,
                 Random& random) {
  static const std::vector<std::string> k_numbers = {"0",
                                                     "-1",
                                                     "9223372036854775807",
                                                     "-9223372036854775808",
                                                     "1e308",
                                                     "1e-400",
                                                     "18446744073709551616",
                                                     "0.1",
                                                     "00",
                                                     "1e",
                                                     "NaN",
                                                     "4294967296"};
  switch (random.below(9)) {
    case 0:
      if (!text.empty()) text[random.below(text.size())] ^= char(1 << random.below(8));
      break;
    case 1:
      text.insert(place(text, random), 1, char(random.below(256)));
      break;
    case 2: {
      const size_t from = place(text, random);
      text.erase(from, random.below(8));
      break;
    }
    case 3:
      text.insert(place(text, random), k_numbers[random.below(k_numbers.size())]);
      break;
    case 4:
      text.insert(place(text, random), piece(corpus[random.below(corpus.size())], random));
      break;
    case 5: {
      const std::string some = piece(text, random);
      const size_t at = place(text, random);
      for (uint64_t n = random.below(1 + (random.below(8) == 0 ? 300 : 8)); n > 0; --n) text.insert(at, some);
      break;
    }
    case 6:
      text.resize(place(text, random));
      break;
    default:
      if (!words.empty()) text.insert(place(text, random), words[random.below(words.size())]);
      break;
  }
}

}  // namespace

std::string mutate(const std::vector<std::string>& corpus, const std::vector<std::string>& words, Random& random) {
  std::string text = corpus[random.below(corpus.size())];
  for (uint64_t changes = 1 + random.below(6); changes > 0 && text.size() < 65536; --changes) {
    change_once(text, corpus, words, random);
  }
  return text;
}

}  // namespace perilune::fuzz
