// The generator of random workflow scripts; see program.hpp.
// SPDX-License-Identifier: MIT
#include "tests/sim/program.hpp"

#include <vector>

namespace perilune::sim {

namespace {

class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  std::string program() {
    std::string text = "begun()\nlocal shared, trail = 0, {}\n"
                       "local function saw(x) trail[#trail + 1] = x; note(#trail, x) end\n";
    text += block(0, 2 + random_.below(3));
    text += "for i, x in ipairs(trail) do note(i, x) end\n";
    return text + "return { state = state, trail = table.concat(trail, ' '), shared = shared, random = math.random(1000000), id = uuid() }\n";
  }

 private:
  std::string name(const char* stem) { return stem + std::to_string(++count_); }
  // A name as an expression: in loops it has the numbers of the iterations behind an @.
  std::string text(const std::string& name) const {
    std::string expression = "'" + name + (loops_.empty() ? "'" : "@'");
    for (const std::string& variable : loops_) expression += " .. '.' .. " + variable;
    return expression;
  }

  std::string block(int depth, uint64_t statements) {
    std::string text;
    for (uint64_t i = 0; i < statements; ++i) text += statement(depth);
    return text;
  }

  std::string statement(int depth) {
    if (random_.below(4) == 0) return state();
    uint64_t kinds = depth >= 3 ? 8 : 24;
    switch (random_.below(kinds)) {
      case 0: return "shared = shared * 3 + " + std::to_string(random_.below(100)) + "; saw('shared=' .. shared % 9973)\n";
      case 1: return "sleep(" + std::to_string(1 + random_.below(20)) + "); saw('" + name("slept") + "')\n";
      case 2: return retried_step();
      case 3: return failing_step();
      case 4: return plain_step();
      case 5: return undone_step();
      case 6: return compensation();
      case 7: return random_.below(2) == 0 ? question() : signal();
      case 22: return branches("parallel", depth, in_time());
      case 8: return branches("race", depth, in_time());
      case 9: return saga(depth);
      case 10: return branches("parallel", depth, random_.below(2) ? ", { need = 1 }" : ", { need = 1, rest = 'keep' }");
      case 11: return branches("parallel", depth, ", { fail = 'collect', limit = 2 }");
      case 12: return cancelled_task(depth);
      case 13: return channel(depth);
      case 14: return locks(depth);
      case 15: return guarded(depth);
      case 16: return shielded(depth);
      case 17: return joined(depth);
      case 18: return depth > 0 && random_.below(6) == 0 ? "finish { trail = table.concat(trail, ' '), early = true }\n" : locks(depth);
      case 19: case 20: return plain_loop();
      case 21: return loop(depth);
      default: return wide_step();
    }
  }

  std::string signal() {
    return "saw('" + name("got") + "=' .. tostring(receive('ping', { timeout = " + std::to_string(random_.below(9)) + " })))\n";
  }
  std::string question() {
    std::string n = name("q"), fallback = random_.below(2) == 0 ? ", default = 2" : "";
    return "do local a, by = ask(" + text(n) + ", { choices = { 1, 2, 3 }, timeout = " + std::to_string(random_.below(9)) + fallback +
           " }) saw('" + n + "=' .. tostring(a) .. by) end\n";
  }
  // What is read and set of the run's state, by whoever runs: some keys by all, some by one task.
  std::string state() {
    std::string key = "k" + std::to_string(random_.below(4)), n = name("st");
    switch (random_.below(7)) {
      case 0: return "state." + key + " = " + std::to_string(random_.below(3)) + "\n";
      case 1: return "state." + key + " = nil\n";
      case 2: return "state.list = type(state.list) == 'table' and state.list or {}; state.list[#state.list + 1] = '" + n + "'\n";
      case 3: return "state." + n + " = { of = " + text(n) + " }; state." + n + ".more = #trail\n";
      case 4: return "checkpoint(" + text(n) + ")\nstate." + key + " = '" + n + "'\n" + (loops_.empty() ? plain_step() : "") +
                     (random_.below(2) == 0 ? "rollback(" + text(n) + ")\n" : "");
      default: return "saw('" + n + "=' .. json.encode(state))\n";
    }
  }

  std::string plain_step() {
    std::string n = name("s");
    return "saw(step(" + text(n) + ", function() effect(" + text(n) + ") lag() return '" + n + "' end))\n";
  }
  std::string retried_step() {
    std::string n = name("r");
    return "saw(step(" + text(n) + ", { retry = { attempts = 3, backoff = " + std::to_string(1 + random_.below(5)) +
           " } }, function(a) effect(" + text(n) + ") lag() if a.number < 2 then error('again') end return '" + n + "' end))\n";
  }
  std::string failing_step() {
    std::string n = name("f");
    return "do local ok, e = pcall(step, " + text(n) + ", { retry = 1 }, function() effect(" + text(n) +
           ") lag() error('no') end) saw('" + n + "=' .. tostring(ok) .. (e and e.code or '')) end\n";
  }
  std::string undone_step() {
    std::string n = name("u");
    return "saw(step(" + text(n) + ", { undo = function() effect('undo ' .. " + text(n) + ") lag() end }, function() effect(" +
           text(n) + ") lag() return '" + n + "' end))\n";
  }
  std::string compensation() {
    std::string n = name("c");
    return "compensate(" + text(n) + ", function() effect(" + text(n) + ") lag() end)\n";
  }
  // Fails half of the time, and then undoes what was done in it.
  std::string saga(int depth) {
    std::string n = name("saga");
    std::string text = "do local ok = pcall(saga, function()\n" + block(depth + 1, 1 + random_.below(3));
    if (random_.below(2) == 0) text += "error('undo it')\n";
    return text + "end" + (random_.below(2) == 0 ? ", { state = 'restore' }" : "") + ") saw('" + n + "=' .. tostring(ok)) end\n";
  }
  // A step that goes wide inside: its tasks must not move the ids of the run's.
  std::string wide_step() {
    std::string n = name("w");
    return "saw(step(" + text(n) + ", function() effect(" + text(n) + ") parallel { function() lag() end, function() lag() end } return '" +
           n + "' end))\n";
  }
  // A scope's time-out, or none.
  std::string in_time() {
    return random_.below(3) == 0 ? ", { timeout = " + std::to_string(1 + random_.below(20)) + " }" : "";
  }
  std::string branches(const char* call, int depth, const std::string& options) {
    std::string n = name(call);
    std::string text = "do local ok, e = pcall(" + std::string(call) + ", {\n";
    uint64_t total = 2 + random_.below(2);
    for (uint64_t i = 0; i < total; ++i)
      text += "function()\n" + block(depth + 1, 1 + random_.below(3)) + "return '" + name("b") + "' end,\n";
    return text + "}" + (call == std::string_view("parallel") ? with_merge(options) : options) + ") saw('" + n + "=' .. tostring(ok) .. (ok and '' or e.code)) end\n";
  }
  std::string with_merge(std::string options) {
    static constexpr const char* k_merges[] = {"merge = 'last'", "merge = 'error'",
                                               "merge = function(k, a, b) return k .. json.encode({ a, b }):sub(1, 60) end"};
    if (random_.below(2) == 0) return options;
    if (options.empty()) options = ", { ";
    else options = options.substr(0, options.size() - 1) + ", ";
    return options + k_merges[random_.below(3)] + " }";
  }
  // What iterations do to variables, tables and functions that others hold too.
  std::string plain_loop() {
    std::string n = name("l"), i = "i" + std::to_string(count_);
    loops_.push_back(i);
    std::string text = "do local t, set, fns = { n = 0 }, {}, {}\nlocal alias, mt = t, { __index = function(_, k) return k .. '!' end }\n";
    text += "local v = loop('" + n + "', " + form() + ", function(_, " + i + ")\nshared = shared * 3 + " + i + "\n";
    text += "t.n = t.n + " + i + " + math.random(9)\nif " + i + " == 2 then t = setmetatable({ n = 50, was = t }, mt) end\n";
    text += "local mine, key = " + i + ", { " + i + " }\nset[key] = " + i + "\n";
    text += "fns[#fns + 1] = function() mine = mine + 1 return mine + t.n + shared % 7 end\n";
    text += "tally = (rawget(_G, 'tally') or 0) + fns[#fns]()\nfns.last = tostring(key)\n";
    if (random_.below(2) == 0) text += plain_step();
    if (random_.below(3) == 0) text += compensation();
    if (random_.below(4) == 0) text += "if " + i + " == 3 then return 'found' end\n";
    loops_.pop_back();
    text += "end)\nlocal sum = 0\nfor _, f in ipairs(fns) do sum = sum * 3 + f() end\nfor k, x in next, {} do end\n";
    return text + "saw(table.concat({ '" + n + "', tostring(v), t.n, alias.n, tostring(t.x), sum, tally, tostring(fns.last), tostring(set) }, ',')) end\n";
  }
  std::string form() {
    switch (random_.below(5)) {
      case 0: return "{ times = 4 }";
      case 3: return "{ each = { 1, 2, 3, 4, 5 }, limit = 2, keep = 1 }";
      case 1: return "{ each = { 5, { 6 }, 7 }, keep = 1 }";
      case 2: return "{ from = 3, to = 1, by = -1, every = 1, keep = 0 }";
      default: return "{ times = 6, keep = 2 }";
    }
  }
  std::string loop(int depth) {
    std::string n = name("L"), i = "i" + std::to_string(count_);
    loops_.push_back(i);
    std::string text = "do local ok, v = pcall(loop, '" + n + "', " + form() + ", function(_, " + i + ")\n" + block(depth + 1, 1 + random_.below(3));
    if (random_.below(3) == 0) text += "if " + i + " == 2 then return shared end\n";
    loops_.pop_back();
    return text + "end) saw('" + n + "=' .. (ok and tostring(v) or v.code)) end\n";
  }
  std::string cancelled_task(int depth) {
    std::string n = name("t");
    return "do local t = spawn('" + n + "', function()\n" + block(depth + 1, 1 + random_.below(2)) + "end)\n" + plain_step() +
           "t:cancel() saw('" + n + "=' .. tostring(pcall(t.await, t))) end\n";
  }

  // One puts, one takes: as many of each, one by one or all at once.
  std::string channel(int depth) {
    ++talking_;
    std::string n = name("ch");
    uint64_t total = 1 + random_.below(3);
    std::string text = "do local c = channel(" + std::to_string(random_.below(3)) + ") local ok = pcall(parallel, { function()\n";
    for (uint64_t i = 0; i < total; ++i) text += block(depth + 1, random_.below(2)) + "c:put('" + name("v") + "') saw('put')\n";
    text += "end, function()\n";
    if (random_.below(2) == 0) {
      text += "saw(table.concat(c:take(" + std::to_string(total) + "), ','))\n";
    } else {
      for (uint64_t i = 0; i < total; ++i) text += "saw(c:take())\n" + block(depth + 1, random_.below(2));
    }
    --talking_;
    return text + "end }) saw('" + n + "=' .. tostring(ok)) end\n";
  }
  // Branches that want one or two of three locks, some not for long: time-outs and cycles are seen by the script.
  std::string locks(int depth) {
    if (talking_ > 0) return plain_step();
    std::string n = name("lk");
    std::string text = "do local ok = pcall(parallel, {\n";
    uint64_t total = 2 + random_.below(2);
    for (uint64_t i = 0; i < total; ++i) {
      text += "function()\n" + section(random_.below(2) == 0 ? section(block(depth + 2, 1)) : block(depth + 1, 2)) + "end,\n";
    }
    return text + "}) saw('" + n + "=' .. tostring(ok)) end\n";
  }
  std::string section(const std::string& body) {
    std::string options = random_.below(3) == 0 ? ", { timeout = " + std::to_string(1 + random_.below(10)) + " }" : "";
    std::string n = name("in");
    return "do local ok, e = pcall(lock, 'k" + std::to_string(random_.below(3)) + "'" + options + ", function() saw('" + n +
           "')\n" + body + "end) saw('" + n + "=' .. (ok and 'left' or tostring(type(e) == 'table' and e.code or e))) end\n";
  }
  std::string guarded(int depth) {
    std::string n = name("g");
    return "do local open = true pcall(parallel, { function()\n" + block(depth + 1, 1 + random_.below(2)) +
           "open = false end, function() local v, why = guard(function() return open end, function()\n" +
           block(depth + 1, 1 + random_.below(3)) + "return 'whole' end) saw('" + n + "=' .. tostring(v) .. tostring(why)) end }) end\n";
  }
  // Cancelled inside a shield that does not hold for ever.
  std::string shielded(int depth) {
    std::string n = name("sh");
    return "do local t = spawn('" + n + "', function() shield({ timeout = " + std::to_string(1 + random_.below(15)) +
           " }, function()\n" + block(depth + 1, 1 + random_.below(3)) + "saw('" + n + " held') end)\n" + plain_step() + "end)\n" +
           plain_step() + "t:cancel() saw('" + n + "=' .. tostring(pcall(t.await, t))) end\n";
  }
  std::string joined(int depth) {
    ++talking_;
    std::string n = name("j");
    std::string text = "do local a, b, c = channel(9), channel(9), channel(9) pcall(parallel, {\n";
    for (const char* from : {"a", "b", "c"}) {
      text += "function()\n";
      for (int i = 0; i < 2; ++i) text += block(depth + 1, random_.below(2)) + std::string(from) + ":put('" + name(from) + "')\n";
      text += "end,\n";
    }
    --talking_;
    return text + "function() saw('" + n + "' .. tostring(join { from = { a, b, c }, need = " + std::to_string(1 + random_.below(3)) +
           ", reset = 'block', each = function(v, i)\nsaw(i .. (v[1] or '-') .. (v[2] or '-') .. (v[3] or '-'))\n" +
           "if i == 2 then return i end end })) end }) end\n";
  }

  Random random_;
  int count_ = 0;
  std::vector<std::string> loops_;   // variables of the iterations around, outermost first
  int talking_ = 0;   // inside tasks that wait for one another over channels: a lock there could stop them for good
};

}  // namespace

std::string random_program(uint64_t seed) { return Writer(seed).program(); }

}  // namespace perilune::sim
