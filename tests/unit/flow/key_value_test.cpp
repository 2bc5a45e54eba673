// store and session: what scripts read and write, through crashes and across runs.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

namespace perilune::engine {
namespace {

using Catch::Contains;

// The outcome; straight, and after a cut at each record.
std::string outcome(const std::string& script) {
  Lab straight(script);
  std::string expected = result(straight.live());
  uint64_t records = straight.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab(script);
    lab.live(cut);
    std::string after = result(lab.live());
    if (after != expected) return "cut at record " + std::to_string(cut) + ": " + after + " in place of " + expected;
  }
  return expected;
}

}  // namespace

TEST_CASE("store keeps values under keys", "[store_calls]") {
  CHECK(outcome(R"(
    local seen = { store.get("a") == nil, store.delete("a") }
    store.set("a", { n = 1 }) store.set("b", "x") store.set("ab", 2.0)
    seen[3] = store.get("a").n
    seen[4] = table.concat(store.list(), " ")
    seen[5] = table.concat(store.list("a"), " ")
    seen[6] = table.concat(store.list("", { limit = 2 }), " ")
    seen[7] = store.delete("a")
    seen[8] = #store.list { limit = 9 }
    return seen
  )") == R"([true,false,1,"a ab b","a ab","a ab",true,2])");
}

TEST_CASE("cas writes only over what is expected", "[store_calls]") {
  CHECK(outcome(R"(
    return { store.cas("k", nil, 1), store.cas("k", nil, 2), store.cas("k", 1, { 2 }), store.cas("k", { 2 }, nil),
             store.cas("k", nil, nil), store.get("k") == nil }
  )") == "[true,false,true,true,true,true]");
  // Each of many tasks counts once.
  CHECK(outcome(R"(
    map({ 1, 2, 3, 4, 5 }, function()
      repeat local n = store.get("n") until store.cas("n", n, (n or 0) + 1)
    end)
    return store.get("n")
  )") == "5");
}

TEST_CASE("namespaces know nothing of one another", "[store_calls]") {
  CHECK(outcome(R"(
    local a, b = store.namespace("a"), store.namespace("b")
    a.set("k", 1) b.set("k", 2) store.set("k", 3)
    return { a.get("k"), b.get("k"), store.get("k"), #a.list() }
  )") == "[1,2,3,1]");
  CHECK_THAT(result("store.namespace('.session/x')"), Contains("does not begin with a dot"));
}

TEST_CASE("a value with a time to live goes when that is over", "[store_calls]") {
  CHECK(outcome(R"(
    store.set("k", 1, { ttl = "1h" })
    sleep "59m"
    local there = store.get("k")
    sleep "2m"
    return { there, store.get("k") == nil, #store.list() }
  )") == "[1,true,0]");
}

TEST_CASE("wrong calls of store say what would be right", "[store_calls]") {
  CHECK_THAT(result("store.get(1)"), Contains("the key must be a string"));
  CHECK_THAT(result("store.get('')"), Contains("must not be empty"));
  CHECK_THAT(result("store.set('k')"), Contains("store.delete removes a key"));
  CHECK_THAT(result("store.set('k', print)"), Contains("validation: store.set: value: a function can't be saved"));
  CHECK_THAT(result("store.set('k', 1, { tll = 1 })"), Contains("did you mean 'ttl'"));
  CHECK_THAT(result("store.set('k', 1, { ttl = 0 })"), Contains("longer than nothing"));
  CHECK_THAT(result("step('s', { retry = 1 }, function() store.get('k') end)"), Contains("can't be called inside a step"));
  CHECK_THAT(result("store.put = 1"), Contains("read-only"));
}

TEST_CASE("migrate brings all values of a namespace to a version, once", "[store_calls]") {
  CHECK(outcome(R"(
    local ns = store.namespace("people")
    ns.set("ana", { name = "Ana" }) ns.set("bob", { name = "Bob" }) ns.set("tmp", 1)
    local steps = {
      [2] = function(v, k) effect("2 " .. k) if k == "tmp" then return nil end return { first = v.name } end,
      [3] = function(v) v.version = 3 return v end,
    }
    local a = store.migrate("people", steps)
    local b = store.migrate("people", steps)
    return { a, b, ns.get("ana").first, ns.get("bob").version, ns.get("tmp") == nil }
  )") == R"([3,3,"Ana",3,true])");
  Lab lab("store.namespace('n').set('k', 1) pcall(store.migrate, 'n', { [2] = function() error('no') end }) "
          "return { store.namespace('n').get('k'), store.migrate('n', { [2] = function(v) return v + 1 end }), store.namespace('n').get('k') }");
  CHECK(result(lab.live()) == "[1,2,2]");
  CHECK_THAT(result("store.migrate('n', { function() end })"), Contains("from 2"));
  CHECK_THAT(result("store.namespace('n').set('k', 1) store.migrate('n', { [2] = function() sleep(1) end })"),
             Contains("not_yieldable"));
}

TEST_CASE("other runs see what was written, in this process and a later one", "[store_calls]") {
  Lab writer("store.set('k', { from = this.id }) return 1");
  writer.live();
  Lab reader("local v = store.get('k') sleep(1) return v.from");
  reader.id = "run-2";
  reader.share(writer);
  CHECK(result(reader.live()) == R"("run-1")");
}

TEST_CASE("session is shared by its runs, and knows them", "[store_calls]") {
  const std::string script = R"(
    local seen = { session.user == nil }
    session.user = { name = "ana" }
    seen[2] = session.user.name
    seen[3] = session:cas("visits", nil, 1)
    session.user = nil
    seen[4] = session.user == nil
    seen[5] = #session:history()
    seen[6] = #session:errors()
    seen[7] = session:history()[1].run
    seen[8] = this.session
    return seen)";
  for (uint64_t cut = 1; cut <= k_all_records - 1; cut = cut < 12 ? cut + 1 : k_all_records) {
    Lab lab(script);
    lab.session = "desk";
    lab.live(cut);
    INFO("cut at " << cut);
    Life life = lab.row().status == store::Status::completed ? Life{} : lab.live();
    CHECK(lab.row().output == R"([true,"ana",true,true,1,0,"run-1","desk"])");
  }
  CHECK_THAT(result("return session.user"), Contains("start it with --session NAME"));
  Lab lab("session.cas = 1");
  lab.session = "desk";
  CHECK_THAT(result(lab.live()), Contains("'cas' is a function of it"));
}

}  // namespace perilune::engine
