// Names for things: run ids (UUIDv7, sortable by time of creation) and stable hashes.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace perilune {

// A UUIDv7 in the usual 36 characters. Thread-safe; ids of one process sort in the order of their making.
std::string new_uuid_v7(int64_t wall_us);
// What a run may be called: it stands in file names and on command lines.
bool is_run_id(std::string_view id);
inline constexpr const char* k_run_id_rule = "1 to 200 letters, digits, '-', '_', '.' or ':', not beginning with '.' or '-'";
// A UUIDv4 made from 16 given bytes (the seeded uuid() of scripts).
std::string uuid_from_bytes(std::array<uint8_t, 16> bytes);

// 16 bytes from the system's generator. Aborts when the system has none (it never happens after boot).
std::array<uint8_t, 16> random_bytes_16();

// SHA-256, as 64 hexadecimal digits, and as 32 raw bytes.
std::string sha256_hex(std::string_view bytes);
std::array<uint8_t, 32> sha256(std::string_view bytes);
std::array<uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes);

// XXH3, 64 bits: fingerprints and shards, never for security. Chain by giving the previous hash as the seed.
uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

std::string base64_encode(std::string_view bytes);
// False when `text` is not base64 (with padding); `out` is then unspecified.
bool base64_decode(std::string_view text, std::string& out);
std::string hex_encode(std::string_view bytes);
// RFC 4648 base32, lower case, without padding: idempotency keys.
std::string base32_encode(std::string_view bytes);

}  // namespace perilune
