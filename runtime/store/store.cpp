// Names of run statuses: the words that people, JSON and the database see. Uses nothing but store.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/store.hpp"

#include <iterator>

namespace perilune::store {
namespace {

constexpr std::string_view k_status_names[] = {"queued", "running",   "waiting",  "paused",     "completed",
                                               "failed", "cancelled", "diverged", "quarantined"};
static_assert(std::size(k_status_names) == static_cast<size_t>(Status::quarantined) + 1);

}  // namespace

std::string_view status_name(Status status) {
  auto index = static_cast<size_t>(status);
  return index < std::size(k_status_names) ? k_status_names[index] : "unknown";
}

std::optional<Status> status_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(k_status_names); ++i)
    if (k_status_names[i] == name) return static_cast<Status>(i);
  return std::nullopt;
}

bool is_final(Status status) {
  return status == Status::completed || status == Status::failed || status == Status::cancelled;
}

}  // namespace perilune::store
