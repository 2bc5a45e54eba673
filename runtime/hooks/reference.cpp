// See reference.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/reference.hpp"

#include "runtime/hooks/points.hpp"

namespace perilune::hooks {
namespace {

std::string fields_text(std::span<const Field> fields) {
  std::string text;
  for (const Field& field : fields)
    text.append(text.empty() ? "" : "; ").append("`").append(field.name).append("` (").append(field.type).append(") ").append(field.text);
  return text;
}

const char* listeners_text(Listeners listeners) {
  switch (listeners) {
    case Listeners::all: return "all";
    case Listeners::outside: return "hook files, C++";
    case Listeners::nobody: return "not met in this version";
  }
  return "";
}

std::string row_text(const PointRow& row) {
  std::string replies = replies_text(row);
  std::string text = "| `" + std::string(row.name) + "` | " + row.text;
  if (*row.note != '\0') text += std::string(" (") + row.note + ")";
  text += " | " + fields_text(row.fields) + " | " + (replies.empty() ? "" : "`" + replies + "`") + " | " + listeners_text(row.listeners);
  return text + " |\n";
}

}  // namespace

std::string reference_text() {
  std::string text = "Every event has " + fields_text(common_fields()) + ".\nIts `run` has " + fields_text(run_fields()) + ".\n";
  const char* head = "| point | met when | the event says | a hook may return | who may listen |\n|---|---|---|---|---|\n";
  Family family = Family::own;
  for (const PointRow& row : points()) {
    if (row.family != family) text += "\n" + std::string(head);
    family = row.family;
    text += row_text(row);
  }
  return text;
}

}  // namespace perilune::hooks
