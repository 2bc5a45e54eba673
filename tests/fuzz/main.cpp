// perilune_fuzz: runs targets on mutated inputs for a time, and prints how many. What breaks a promise, or the program,
// is in the file that --last names, and is repeated with --input. SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/fuzz/fuzz.hpp"

using namespace perilune;
using namespace perilune::fuzz;

namespace {

constexpr const char* k_usage =
    "Usage: perilune_fuzz [--seconds N] [--seed N] [--last FILE] [TARGET...]     without a TARGET: all of them\n"
    "       perilune_fuzz --input FILE TARGET        one input\n"
    "       perilune_fuzz --list                     the targets\n";
constexpr size_t k_input_max = 4096, k_corpus_max = 2000;

struct Options {
  double seconds = 5;
  uint64_t seed = 1;
  std::string last, input;
  std::vector<std::string> names;
  bool list = false;
};

[[noreturn]] void complain(const std::string& text) {
  std::cerr << "perilune_fuzz: " << text << "\n" << k_usage;
  std::exit(2);
}

Options read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto value = [&] { return ++i < count ? std::string(words[i]) : (complain(word + " needs a value"), ""); };
    if (word == "--help") std::cout << k_usage, std::exit(0);
    if (word == "--list")
      options.list = true;
    else if (word == "--seconds")
      options.seconds = std::strtod(value().c_str(), nullptr);
    else if (word == "--seed")
      options.seed = std::strtoull(value().c_str(), nullptr, 10);
    else if (word == "--last")
      options.last = value();
    else if (word == "--input")
      options.input = value();
    else if (word.starts_with("-"))
      complain("unknown option '" + word + "'");
    else
      options.names.push_back(word);
  }
  return options;
}

std::string printable(const std::string& input) {
  std::string out;
  for (unsigned char c : input.substr(0, 400)) {
    char escape[8];
    std::snprintf(escape, sizeof escape, c < ' ' || c > 126 || c == '\\' ? "\\x%02x" : "%c", c);
    out += escape;
  }
  return out;
}

// False when a promise is broken.
bool attempt(const Target& target, const std::string& input, bool& kept) {
  try {
    kept = target.run(input);
    return true;
  } catch (const std::exception& broken) {
    std::cout << target.name << ": broken: " << broken.what() << "\n  input: " << printable(input) << "\n";
    return false;
  }
}

bool fuzz_one(const Target& target, const Options& options) {
  Random random(options.seed ^ std::hash<std::string>()(target.name));
  std::vector<std::string> corpus = target.seeds;
  bool kept = false;
  for (const std::string& seed : target.seeds)
    if (!attempt(target, seed, kept)) return false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.seconds);
  uint64_t inputs = 0;
  for (; std::chrono::steady_clock::now() < end; ++inputs) {
    std::string input = mutate(corpus, target.words, random);
    if (input.size() > k_input_max) input.resize(k_input_max);
    if (!options.last.empty()) std::ofstream(options.last, std::ios::binary) << input;
    if (!attempt(target, input, kept)) {
      std::cout << "  input " << inputs << " of seed " << options.seed << "\n";
      return false;
    }
    if (!kept) continue;
    if (corpus.size() < k_corpus_max)
      corpus.push_back(std::move(input));
    else
      corpus[target.seeds.size() + random.below(k_corpus_max - target.seeds.size())] = std::move(input);
  }
  std::cout << target.name << ": " << inputs << " inputs\n";
  return true;
}

}  // namespace

int main(int count, char** words) {
  const Options options = read_options(count, words);
  std::vector<Target> targets;
  add_text_targets(targets);
  add_lua_targets(targets);
  int passed = 0, failed = 0;
  for (const std::string& name : options.names)
    if (std::none_of(targets.begin(), targets.end(), [&](const Target& target) { return target.name == name; }))
      complain("unknown target '" + name + "'");
  if (!options.list) std::cout << "seed " << options.seed << ", " << options.seconds << " s each\n";
  for (const Target& target : targets) {
    const bool chosen = std::find(options.names.begin(), options.names.end(), target.name) != options.names.end();
    if (!options.names.empty() && !chosen) continue;
    if (options.list) {
      std::cout << target.name << ": " << target.what << "\n";
      continue;
    }
    bool good = true, kept = false;
    if (options.input.empty()) {
      good = fuzz_one(target, options);
    } else {
      std::ifstream file(options.input, std::ios::binary);
      good = attempt(target, {std::istreambuf_iterator<char>(file), {}}, kept);
    }
    ++(good ? passed : failed);
  }
  if (!options.list) std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}
