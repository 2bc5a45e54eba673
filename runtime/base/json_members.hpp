// Cutting JSON that the runtime wrote itself: the members of an object, the items of an array, as the pieces of text that
// stand there. Nothing is parsed but the keys, so a value keeps every byte, and to pass it by costs a look at its bytes.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace perilune {

// False when the text is no object; `visit` was called for what could be cut until then.
bool each_member(std::string_view object, const std::function<void(std::string key, std::string_view value)>& visit);
bool each_item(std::string_view array, const std::function<void(std::string_view item)>& visit);
// The value of the first member of this name; empty when there is none.
std::string_view member_of(std::string_view object, std::string_view name);

// A text as a JSON string, with its quotes. What is not UTF-8 in it is replaced.
std::string json_string(std::string_view text);

}  // namespace perilune
