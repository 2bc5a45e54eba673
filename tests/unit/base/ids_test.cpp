// Ids, hashes and text forms of bytes, against published values.
// SPDX-License-Identifier: MIT
#include "runtime/base/ids.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

using namespace perilune;

namespace {

std::string hex(const std::array<uint8_t, 32>& digest) {
  return hex_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

TEST_CASE("Run ids have the form of UUIDv7 and carry the time", "[base]") {
  const std::string id = new_uuid_v7(4'300'000'000'000'000);  // later than in any other test: ids never go back
  REQUIRE(id.size() == 36);
  CHECK(id.substr(0, 13) == "03e92bf8-f800");
  CHECK(id[14] == '7');
  CHECK(std::string("89ab").find(id[19]) != std::string::npos);
}

TEST_CASE("Run ids sort in the order of their making, also when the clock stands still or goes back", "[base]") {
  std::vector<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.push_back(new_uuid_v7(4'100'000'000'000'000 - i));
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == ids.size());
  CHECK(new_uuid_v7(-5) > ids.back());
}

TEST_CASE("Run ids made by several threads at once differ", "[base]") {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids] {
      for (int i = 0; i < 1000; ++i) ids.push_back(new_uuid_v7(4'200'000'000'000'000));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) {
    CHECK(std::is_sorted(ids.begin(), ids.end()));
    all.insert(ids.begin(), ids.end());
  }
  CHECK(all.size() == 4000);
}

TEST_CASE("A UUID from given bytes is of version 4 and always the same", "[base]") {
  CHECK(uuid_from_bytes({}) == "00000000-0000-4000-8000-000000000000");
  std::array<uint8_t, 16> ones;
  ones.fill(0xff);
  CHECK(uuid_from_bytes(ones) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST_CASE("Random bytes differ from call to call", "[base]") { CHECK(random_bytes_16() != random_bytes_16()); }

TEST_CASE("SHA-256 and HMAC-SHA-256 give the published digests", "[base]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  // RFC 4231, cases 2 and 6 (a key longer than a block)
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hex(hmac_sha256("", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("XXH3 is stable, and its seed matters", "[base]") {
  CHECK(hash64("") == 0x2d06800538d394c2);
  CHECK(hash64("perilune") == hash64("perilune", 0));
  CHECK(hash64("perilune", 1) != hash64("perilune", 2));
}

TEST_CASE("Base64, base32 and hexadecimal give the published texts", "[base]") {
  CHECK(base64_encode("") == "");
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  CHECK(base32_encode("") == "");
  CHECK(base32_encode("f") == "my");
  CHECK(base32_encode("fooba") == "mzxw6ytb");
  CHECK(base32_encode("foobar") == "mzxw6ytboi");
  CHECK(hex_encode(std::string_view("\x00\xff\x10", 3)) == "00ff10");
}

TEST_CASE("Base64 of any bytes decodes to these bytes", "[base]") {
  REQUIRE(rc::check([](const std::string& bytes) {
    std::string back = "old";
    RC_ASSERT(base64_decode(base64_encode(bytes), back));
    RC_ASSERT(back == bytes);
  }));
}

TEST_CASE("What decodes as base64 is the one text of its bytes", "[base]") {
  REQUIRE(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("AQgw/+=\n")));
    std::string bytes;
    if (base64_decode(text, bytes)) RC_ASSERT(base64_encode(bytes) == text);
  }));
  std::string out;
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9", "====", "=AAA", "A===", "Zg==Zg==", "Zm 9", "Zm9-"}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text, out));
  }
}
