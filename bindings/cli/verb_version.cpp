// perilune version.
// SPDX-License-Identifier: MIT
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/versions.hpp"

namespace perilune::cli {

int verb_version(const CommonOptions& options) {
  std::vector<Version> all = versions();
  if (options.json) {
    JsonText json;
    json.open_object();
    for (const Version& one : all) json.key(one.name).text(one.version);
    print_json(json.close_object().str());
    return k_exit_ok;
  }
  std::string others;
  for (size_t i = 1; i < all.size(); ++i) others += (i > 1 ? ", " : "") + all[i].name + " " + all[i].version;
  print_out("perilune " + all.front().version + " (" + others + ")\n");
  return k_exit_ok;
}

}  // namespace perilune::cli
