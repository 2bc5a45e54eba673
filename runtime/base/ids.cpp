// Run ids, hashes and the text forms of bytes. SHA-256 is OpenSSL's, XXH3 is xxHash's.
// SPDX-License-Identifier: MIT
#include "runtime/base/ids.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#define XXH_INLINE_ALL  // short inputs (fingerprints) are twice as fast without the call
#include <xxhash.h>

namespace perilune {
namespace {

constexpr char k_hex[] = "0123456789abcdef";
constexpr char k_base32[] = "abcdefghijklmnopqrstuvwxyz234567";
constexpr char k_base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t k_no_digit = 0xff;

constexpr std::array<uint8_t, 256> base64_values() {
  std::array<uint8_t, 256> values{};
  for (uint8_t& value : values) value = k_no_digit;
  for (uint8_t i = 0; i < 64; ++i) values[static_cast<uint8_t>(k_base64[i])] = i;
  return values;
}
constexpr auto k_base64_values = base64_values();

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "perilune: %s\n", what);
  std::abort();
}

std::string uuid_text(const std::array<uint8_t, 16>& bytes) {
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += k_hex[bytes[i] >> 4];
    text += k_hex[bytes[i] & 15];
  }
  return text;
}

// Fetched once: a look-up by name at each use costs more than the hash of a short text. Never freed, as it is used
// until the very end of the process.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (method == nullptr) die("this OpenSSL has no SHA-256");
  return method;
}

uint8_t byte_at(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

}  // namespace

std::string new_uuid_v7(int64_t wall_us) {
  // The 12 bits behind the milliseconds count the ids of one millisecond; when they run out, or the clock goes back, we
  // go on from the last time given out (RFC 9562, 6.2: monotonicity comes before the exact time).
  static std::mutex mutex;
  static int64_t last_ms = -1;
  static unsigned count = 0;

  std::array<uint8_t, 16> bytes = random_bytes_16();
  int64_t ms = std::clamp<int64_t>(wall_us / 1000, 0, (int64_t{1} << 48) - 1);
  unsigned number;
  {
    const std::lock_guard lock(mutex);
    if (ms > last_ms) {
      last_ms = ms;
      count = (bytes[6] << 3 | bytes[7] >> 5) & 0x7ff;  // starts in the lower half, so that there is room to count
    } else if (++count > 0xfff) {
      last_ms = last_ms + 1;
      count = 0;
    }
    ms = last_ms;
    number = count;
  }
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(ms >> (40 - 8 * i));
  bytes[6] = static_cast<uint8_t>(0x70 | number >> 8);
  bytes[7] = static_cast<uint8_t>(number);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return uuid_text(bytes);
}

bool is_run_id(std::string_view id) {
  constexpr std::string_view k_allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
  return !id.empty() && id.size() <= 200 && id.find_first_not_of(k_allowed) == std::string_view::npos && id[0] != '.' &&
         id[0] != '-';
}

std::string uuid_from_bytes(std::array<uint8_t, 16> bytes) {
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return uuid_text(bytes);
}

std::array<uint8_t, 16> random_bytes_16() {
  std::array<uint8_t, 16> bytes;
  if (getentropy(bytes.data(), bytes.size()) != 0) die("the system has no random numbers");
  return bytes;
}

std::array<uint8_t, 32> sha256(std::string_view bytes) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::array<uint8_t, 32> digest;
  const bool done = context && EVP_DigestInit_ex2(context.get(), sha256_method(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  if (!done) die("SHA-256 failed");
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return hex_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::array<uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes) {
  // A key longer than a block stands for its hash (RFC 2104); doing that here keeps its length within an int.
  std::array<uint8_t, 32> short_key;
  if (key.size() > 64) {
    short_key = sha256(key);
    key = {reinterpret_cast<const char*>(short_key.data()), short_key.size()};
  }
  std::array<uint8_t, 32> digest;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (HMAC(sha256_method(), key.empty() ? "" : key.data(), static_cast<int>(key.size()), data, bytes.size(),
           digest.data(), nullptr) == nullptr) {
    die("HMAC-SHA-256 failed");
  }
  return digest;
}

uint64_t hash64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t three = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) text += k_base64[three >> shift & 63];
  }
  const size_t rest = bytes.size() - i;
  if (rest == 0) return text;
  const uint32_t three = byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
  text += k_base64[three >> 18 & 63];
  text += k_base64[three >> 12 & 63];
  text += rest == 2 ? k_base64[three >> 6 & 63] : '=';
  return text + '=';
}

bool base64_decode(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4 != 0) return false;
  size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  out.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const uint8_t value = k_base64_values[static_cast<uint8_t>(c)];
    if (value == k_no_digit) return false;
    bits = bits << 6 | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count);
    bits &= (1u << count) - 1;
  }
  return bits == 0;  // leftover bits that are set would make two texts of the same bytes
}

std::string hex_encode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    text += k_hex[byte >> 4];
    text += k_hex[byte & 15];
  }
  return text;
}

std::string base32_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 8 + 4) / 5);
  uint32_t bits = 0;
  int count = 0;
  for (unsigned char byte : bytes) {
    bits = (bits << 8 | byte) & 0xfff;  // at most 4 bits are left over from before
    for (count += 8; count >= 5;) {
      count -= 5;
      text += k_base32[bits >> count & 31];
    }
  }
  if (count > 0) text += k_base32[bits << (5 - count) & 31];
  return text;
}

}  // namespace perilune
