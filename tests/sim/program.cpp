// The generator of random workflow scripts; see program.hpp.
// SPDX-License-Identifier: MIT
#include "tests/sim/program.hpp"

namespace perilune::sim {

namespace {

class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  std::string program() {
    std::string text = "begun()\nlocal shared, trail = 0, {}\n"
                       "local function saw(x) trail[#trail + 1] = x; note(x) end\n";
    text += block(0, 2 + random_.below(3));
    return text + "return { trail = table.concat(trail, ' '), shared = shared, random = math.random(1000000), id = uuid() }\n";
  }

 private:
  std::string name(const char* stem) { return stem + std::to_string(++count_); }

  std::string block(int depth, uint64_t statements) {
    std::string text;
    for (uint64_t i = 0; i < statements; ++i) text += statement(depth);
    return text;
  }

  std::string statement(int depth) {
    uint64_t kinds = depth >= 3 ? 8 : 15;
    switch (random_.below(kinds)) {
      case 0: return "shared = shared * 3 + " + std::to_string(random_.below(100)) + "; saw('shared=' .. shared % 9973)\n";
      case 1: return "sleep(" + std::to_string(1 + random_.below(20)) + "); saw('" + name("slept") + "')\n";
      case 2: return retried_step();
      case 3: return failing_step();
      case 4: return plain_step();
      case 5: return undone_step();
      case 6: return compensation();
      case 7:
        return "saw('" + name("got") + "=' .. tostring(receive('ping', { timeout = " + std::to_string(random_.below(9)) + " })))\n";
      case 14: return branches("parallel", depth, "");
      case 8: return branches("race", depth, "");
      case 9: return saga(depth);
      case 10: return branches("parallel", depth, random_.below(2) ? ", { need = 1 }" : ", { need = 1, rest = 'keep' }");
      case 11: return branches("parallel", depth, ", { fail = 'collect', limit = 2 }");
      case 12: return cancelled_task(depth);
      default: return wide_step();
    }
  }

  std::string plain_step() {
    std::string n = name("s");
    return "saw(step('" + n + "', function() effect('" + n + "') lag() return '" + n + "' end))\n";
  }
  std::string retried_step() {
    std::string n = name("r");
    return "saw(step('" + n + "', { retry = { attempts = 3, backoff = " + std::to_string(1 + random_.below(5)) +
           " } }, function(a) effect('" + n + "') lag() if a.number < 2 then error('again') end return '" + n + "' end))\n";
  }
  std::string failing_step() {
    std::string n = name("f");
    return "do local ok, e = pcall(step, '" + n + "', { retry = 1 }, function() effect('" + n +
           "') lag() error('no') end) saw('" + n + "=' .. tostring(ok) .. (e and e.code or '')) end\n";
  }
  std::string undone_step() {
    std::string n = name("u");
    return "saw(step('" + n + "', { undo = function() effect('undo " + n + "') lag() end }, function() effect('" + n +
           "') lag() return '" + n + "' end))\n";
  }
  std::string compensation() {
    std::string n = name("c");
    return "compensate('" + n + "', function() effect('" + n + "') lag() end)\n";
  }
  // Fails half of the time, and then undoes what was done in it.
  std::string saga(int depth) {
    std::string n = name("saga");
    std::string text = "do local ok = pcall(saga, function()\n" + block(depth + 1, 1 + random_.below(3));
    if (random_.below(2) == 0) text += "error('undo it')\n";
    return text + "end) saw('" + n + "=' .. tostring(ok)) end\n";
  }
  // A step that goes wide inside: its tasks must not move the ids of the run's.
  std::string wide_step() {
    std::string n = name("w");
    return "saw(step('" + n + "', function() effect('" + n + "') parallel { function() lag() end, function() lag() end } return '" +
           n + "' end))\n";
  }
  std::string branches(const char* call, int depth, const char* options) {
    std::string n = name(call);
    std::string text = "do local ok, e = pcall(" + std::string(call) + ", {\n";
    uint64_t total = 2 + random_.below(2);
    for (uint64_t i = 0; i < total; ++i)
      text += "function()\n" + block(depth + 1, 1 + random_.below(3)) + "return '" + name("b") + "' end,\n";
    return text + "}" + options + ") saw('" + n + "=' .. tostring(ok)) end\n";
  }
  std::string cancelled_task(int depth) {
    std::string n = name("t");
    return "do local t = spawn('" + n + "', function()\n" + block(depth + 1, 1 + random_.below(2)) + "end)\n" + plain_step() +
           "t:cancel() saw('" + n + "=' .. tostring(pcall(t.await, t))) end\n";
  }

  Random random_;
  int count_ = 0;
};

}  // namespace

std::string random_program(uint64_t seed) { return Writer(seed).program(); }

}  // namespace perilune::sim
