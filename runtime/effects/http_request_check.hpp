// Which HTTP requests are refused before anything is sent: what could change the meaning of the request line, the
// header block or the framing of the body. Pure text; no network, no libcurl. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/effects/http_client.hpp"

namespace perilune::effects {

// An Error with code "usage" that names what is wrong, or nothing. Never quotes a header's value: it may be a secret.
std::optional<Error> check_request(const HttpRequest& request);

// Whether a server may see such a request twice without harm (RFC 9110, 9.2.2).
bool is_idempotent(std::string_view method);

std::string_view trim_blanks(std::string_view text);  // spaces and tabs, CR and LF, at both ends
bool same_but_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);  // ASCII letters only

}  // namespace perilune::effects
