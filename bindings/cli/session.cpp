// Which kind of session it is; see session.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/session.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "bindings/cli/local_session.hpp"
#include "bindings/cli/owner_client.hpp"

namespace perilune::cli {

namespace {
constexpr int k_tries = 60;   // a verb that owns the store for a moment answers nobody
constexpr auto k_pause = std::chrono::milliseconds(25);
}  // namespace

Result<std::unique_ptr<Session>> Session::open(const CommonOptions& options) {
  std::error_code failed;
  std::string cwd = std::filesystem::current_path(failed).string();
  if (failed) return Error(code::k_storage, "the working directory is gone: " + failed.message());
  Result<Config> config = load_config(cwd, options.store, process_environment());
  if (!config.ok()) return config.error();
  Result<StorePlace> place = place_store(*config, cwd);
  if (!place.ok()) return place.error();
  for (int i = 1;; ++i) {
    Result<std::unique_ptr<LocalSession>> own = LocalSession::open(*config, *place, options);
    if (own.ok()) return std::unique_ptr<Session>(std::move(*own));
    if (own.error().code != code::k_owned) return own.error();
    if (!options.hooks.empty())
      return Error(code::k_owned, own.error().message + "; it executes the run, with its own hook files: leave --hooks out, or wait until it is gone");
    Result<std::unique_ptr<OwnerClient>> other = OwnerClient::open(*place, options);
    if (other.ok()) return std::unique_ptr<Session>(std::move(*other));
    if (i == k_tries) return own.error();
    std::this_thread::sleep_for(k_pause);
  }
}

}  // namespace perilune::cli
