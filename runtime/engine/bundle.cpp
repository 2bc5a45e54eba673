// Bundles as canonical JSON: see bundle.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/bundle.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"

namespace perilune::engine {

using nlohmann::json;

BundleRef make_bundle(std::string entry, std::string text, std::map<std::string, std::string> modules) {
  auto bundle = std::make_shared<Bundle>();
  json content = {{"entry", entry}, {"modules", modules}, {"text", text}};
  bundle->content = content.dump(-1, ' ', false, json::error_handler_t::replace);
  bundle->hash = sha256_hex(bundle->content);
  bundle->entry = std::move(entry);
  bundle->text = std::move(text);
  bundle->modules = std::move(modules);
  return bundle;
}

Result<BundleRef> read_bundle(const std::string& hash, std::string content) {
  auto damaged = [&](const char* why) { return Error(code::k_damaged, "the stored code " + hash + " " + why); };
  if (sha256_hex(content) != hash) return damaged("does not have its hash: the store is damaged");
  json parsed = json::parse(content, nullptr, false);
  if (!parsed.is_object()) return damaged("can't be read");
  auto bundle = std::make_shared<Bundle>();
  bundle->hash = hash;
  bundle->entry = parsed.value("entry", "");
  bundle->text = parsed.value("text", "");
  for (auto& [name, text] : parsed["modules"].items()) bundle->modules[name] = text.get<std::string>();
  bundle->content = std::move(content);
  return BundleRef(bundle);
}

}  // namespace perilune::engine
