// See http_transfer.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/http_transfer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <exception>
#include <utility>

#include "runtime/effects/http_request_check.hpp"

namespace perilune::effects {

namespace {

constexpr size_t k_header_limit_bytes = 256u << 10;  // newer versions of libcurl cut at 300 KB, with another error

// libcurl counts in milliseconds and 0 means its own default: what is not 0 stays so.
long to_ms(int64_t us) { return static_cast<long>(std::min<int64_t>(us / 1000 + (us % 1000 != 0), INT_MAX)); }

// Children of this process must not inherit connections.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// A parsed URL; parts are copied out.
class Url {
 public:
  Url() : handle_(curl_url()) {}
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  CURLUcode parse(const std::string& text) {
    return curl_url_set(handle_, CURLUPART_URL, text.c_str(), CURLU_URLENCODE);
  }
  std::string part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, which, &text, flags) != CURLUE_OK) return {};
    std::string result = text;
    curl_free(text);
    return result;
  }
  void drop_credentials() {
    curl_url_set(handle_, CURLUPART_USER, nullptr, 0);
    curl_url_set(handle_, CURLUPART_PASSWORD, nullptr, 0);
  }
  std::string origin() const {
    const std::string port = part(CURLUPART_PORT);
    return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
  }

 private:
  CURLU* handle_;
};

bool is_tls_error(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
      return true;
    default:
      return false;
  }
}

const char* phrase_of(CURLcode code) {
  if (is_tls_error(code)) return "TLS failed";
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "DNS: the host name was not found";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "DNS: the proxy's name was not found";
    case CURLE_COULDNT_CONNECT:
      return "no connection";
    case CURLE_GOT_NOTHING:
      return "the connection closed without an answer";
    case CURLE_PARTIAL_FILE:
      return "the connection closed before the end of the answer";
    case CURLE_SEND_FAIL_REWIND:
      return "the connection closed without an answer; the request is not sent twice";
    case CURLE_TOO_MANY_REDIRECTS:
      return "too many redirects";
    default:
      return "the exchange failed";
  }
}

}  // namespace

HttpTransfer::HttpTransfer(uint64_t id, HttpRequest request, Done<HttpResponse> done_)
    : done(std::move(done_)), id_(id), request_(std::move(request)) {}

HttpTransfer::~HttpTransfer() {
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
}

void HttpTransfer::prepare() {
  if (auto error = check_request(request_)) return fail(std::move(*error));
  std::transform(request_.method.begin(), request_.method.end(), request_.method.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  easy_ = curl_easy_init();
  if (easy_ == nullptr) return fail({code::k_memory, "http: no memory for a request"});
  set_url();
  if (failed()) return;
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_ERRORBUFFER, detail_);
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set_body();
  set_headers();
  set_limits();
  set_route();
  if (set_code_ != CURLE_OK) fail({code::k_usage, place() + ": " + curl_easy_strerror(set_code_)});
}

void HttpTransfer::fail(Error error) {
  if (!failure_) failure_ = std::move(error);
}

template <class Value>
void HttpTransfer::set(CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy_, option, value);
  if (set_code_ == CURLE_OK) set_code_ = code;
}

// The URL is parsed here, so that a wrong one is found before anything is sent, and so that a password in it travels as
// an option and never in effective_url.
void HttpTransfer::set_url() {
  Url url;
  if (const CURLUcode code = url.parse(request_.url); code != CURLUE_OK) {
    const bool no_scheme = code == CURLUE_BAD_SCHEME || code == CURLUE_UNSUPPORTED_SCHEME;
    return fail({code::k_usage, no_scheme ? "http: the URL does not begin with http:// or https://"
                                          : std::string("http: not a URL: ") + curl_url_strerror(code)});
  }
  const std::string scheme = url.part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return fail({code::k_usage, "http: scheme '" + scheme + "' is not http or https"});
  }
  if (request_.user.empty()) {
    request_.user = url.part(CURLUPART_USER, CURLU_URLDECODE);
    request_.password = url.part(CURLUPART_PASSWORD, CURLU_URLDECODE);
  }
  url.drop_credentials();
  request_.url = url.part(CURLUPART_URL);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
}

// The body goes by callbacks and not as CURLOPT_POSTFIELDS: on_seek then decides whether it may be sent again.
void HttpTransfer::set_body() {
  const std::string& method = request_.method;
  const bool has_body = !request_.body.empty();
  if (method == "HEAD") return set(CURLOPT_NOBODY, 1L);
  if (has_body || method == "POST" || method == "PUT" || method == "PATCH") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    if (has_body) {
      set(CURLOPT_READFUNCTION, &HttpTransfer::on_read);
      set(CURLOPT_READDATA, this);
      set(CURLOPT_SEEKFUNCTION, &HttpTransfer::on_seek);
      set(CURLOPT_SEEKDATA, this);
    } else {
      set(CURLOPT_POSTFIELDS, "");
    }
    // A redirect by 301 or 302 turns POST into GET, as everywhere, and leaves other methods as they are.
    if (method != "POST") set(CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_301 | CURL_REDIR_POST_302));
  }
  if (method != "POST" && (method != "GET" || has_body)) set(CURLOPT_CUSTOMREQUEST, method.c_str());
  // With no body there is nothing to refuse in on_seek: only a new connection is sure to send the request once.
  if (!has_body && !is_idempotent(method)) set(CURLOPT_FRESH_CONNECT, 1L);
}

void HttpTransfer::set_headers() {
  bool has_type = false;
  bool has_expect = false;
  for (const auto& [name, value] : request_.headers) {
    if (same_but_case(name, "content-length")) continue;  // checked, and libcurl writes it
    has_type = has_type || same_but_case(name, "content-type");
    has_expect = has_expect || same_but_case(name, "expect");
    const std::string_view text = trim_blanks(value);
    // "name:" would take the header away, "name;" sends it empty.
    add_header(text.empty() ? name + ";" : name + ": " + std::string(text));
  }
  if (!has_type) add_header("Content-Type:");  // libcurl would call every body a form
  if (!has_expect) add_header("Expect:");      // else a large body waits a second for servers that ignore it
  set(CURLOPT_HTTPHEADER, header_list_);
  set(CURLOPT_USERAGENT, "perilune");
  if (request_.user.empty()) return;
  set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  set(CURLOPT_USERNAME, request_.user.c_str());
  set(CURLOPT_PASSWORD, request_.password.c_str());
}

void HttpTransfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(header_list_, line.c_str());
  if (longer == nullptr) {
    set_code_ = CURLE_OUT_OF_MEMORY;
  } else {
    header_list_ = longer;
  }
}

void HttpTransfer::set_limits() {
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, to_ms(request_.timeout_us));
  set(CURLOPT_CONNECTTIMEOUT_MS,
      request_.connect_timeout_us == 0 ? static_cast<long>(INT_MAX) : to_ms(request_.connect_timeout_us));
  set(CURLOPT_FOLLOWLOCATION, request_.max_redirects > 0 ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, static_cast<long>(request_.max_redirects));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // the end of a transfer does not wait for a name server: the loop must not block
}

void HttpTransfer::set_route() {
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!request_.proxy.empty()) set(CURLOPT_PROXY, request_.proxy == "none" ? "" : request_.proxy.c_str());
  if (!request_.ca_file.empty()) set(CURLOPT_CAINFO, request_.ca_file.c_str());
  set(CURLOPT_SSL_VERIFYPEER, request_.verify_tls ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, request_.verify_tls ? 2L : 0L);
}

size_t HttpTransfer::on_body(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::string_view chunk(data, size * count);
  if (transfer.failed()) return 0;
  const size_t limit = transfer.request_.body_limit;
  if (chunk.size() > limit - transfer.received_bytes_) {
    transfer.fail({code::k_limit, transfer.place() + ": the body is longer than " + std::to_string(limit) + " bytes"});
    return 0;
  }
  transfer.received_bytes_ += chunk.size();
  try {
    if (!transfer.request_.stream_only) transfer.response_.body.append(chunk);
    if (transfer.request_.on_data) transfer.request_.on_data(chunk);
  } catch (const std::exception& error) {  // must not fly through libcurl
    transfer.fail({code::k_internal, transfer.place() + ": taking the body failed: " + error.what()});
  }
  return transfer.failed() ? 0 : chunk.size();
}

size_t HttpTransfer::on_header(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::string_view line(data, size * count);
  if (transfer.failed()) return 0;
  if (!transfer.in_headers_ && line.starts_with("HTTP/")) {
    transfer.take_status_line(line);
  } else if (trim_blanks(line).empty()) {
    transfer.in_headers_ = false;
  } else {
    transfer.take_header(line);
  }
  transfer.header_bytes_ += line.size();
  if (transfer.header_bytes_ > k_header_limit_bytes) {
    transfer.fail({code::k_limit, transfer.place() + ": the headers are longer than 256 KiB"});
    return 0;
  }
  return line.size();
}

// Each answer (100 Continue, a redirect) begins anew: the headers of the last one stay.
void HttpTransfer::take_status_line(std::string_view line) {
  in_headers_ = answered_ = true;
  header_bytes_ = 0;
  response_.headers.clear();
  const size_t blank = line.find(' ');
  const bool see_other = blank != std::string_view::npos && line.substr(blank + 1).starts_with("303");
  // 303 asks for a GET of another resource; libcurl would send a method of CURLOPT_CUSTOMREQUEST there again.
  if (see_other && request_.max_redirects > 0) curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
}

void HttpTransfer::take_header(std::string_view line) {
  const std::string_view text = trim_blanks(line);
  if ((line.front() == ' ' || line.front() == '\t') && !response_.headers.empty()) {  // a folded line
    response_.headers.back().second.append(" ").append(text);
    return;
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return;
  response_.headers.emplace_back(lower_case(trim_blanks(text.substr(0, colon))),
                                 std::string(trim_blanks(text.substr(colon + 1))));
}

size_t HttpTransfer::on_read(char* buffer, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (transfer.failed()) return CURL_READFUNC_ABORT;
  const size_t bytes = std::min(size * count, transfer.request_.body.size() - transfer.sent_bytes_);
  std::memcpy(buffer, transfer.request_.body.data() + transfer.sent_bytes_, bytes);
  transfer.sent_bytes_ += bytes;
  return bytes;
}

int HttpTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const bool in_range =
      origin == SEEK_SET && offset >= 0 && static_cast<size_t>(offset) <= transfer.request_.body.size();
  // Sent, and no answer: the server may have acted on it. After an answer (a redirect) it is asked for again.
  const bool allowed = transfer.answered_ || is_idempotent(transfer.request_.method);
  if (!in_range || !allowed) return CURL_SEEKFUNC_FAIL;
  transfer.sent_bytes_ = static_cast<size_t>(offset);
  transfer.answered_ = false;
  return CURL_SEEKFUNC_OK;
}

Result<HttpResponse> HttpTransfer::take_result(CURLcode code, int64_t duration_us) {
  if (failure_) return std::move(*failure_);
  if (code != CURLE_OK) return error_of(code);
  // libcurl takes headers that break off for an answer without a body.
  if (in_headers_) return Error(code::k_io, place() + ": the connection closed within the headers of the answer");
  long status = 0;
  char* url_text = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url_text);
  response_.status = static_cast<int>(status);
  response_.duration_us = duration_us;
  Url url;
  if (url_text != nullptr && url.parse(url_text) == CURLUE_OK) {
    url.drop_credentials();
    response_.effective_url = url.part(CURLUPART_URL);
  } else {
    response_.effective_url = request_.url;
  }
  return std::move(response_);
}

Error HttpTransfer::error_of(CURLcode code) const {
  std::string detail = detail_[0] != '\0' ? detail_ : curl_easy_strerror(code);
  // libcurl quotes a wrong proxy as it was given, with its password.
  if (detail.find('@') != std::string::npos) detail = curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return {code::k_timeout, place() + ": " + detail};
  std::string phrase = phrase_of(code);
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  if (code == CURLE_COULDNT_CONNECT && system_error == ECONNREFUSED) phrase = "connection refused";
  if (code == CURLE_TOO_MANY_REDIRECTS) {
    return {code::k_limit, place() + ": more than " + std::to_string(request_.max_redirects) + " redirects"};
  }
  return {code::k_io, place() + ": " + phrase + " (" + detail + ")"};
}

std::string HttpTransfer::place() const {
  char* url_text = nullptr;
  if (easy_ != nullptr) curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url_text);
  Url url;
  const bool known = url_text != nullptr && url.parse(url_text) == CURLUE_OK;
  return known ? "http: " + url.origin() : "http";
}

}  // namespace perilune::effects
