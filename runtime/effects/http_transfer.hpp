// One exchange of the HTTP client: the libcurl easy handle, what it sends, what it has received so far, and what that
// means as a Result. Knows no loop and no other exchange.
// Promises: a request whose outcome is unknown is not sent again behind the caller's back (libcurl repeats a request
// when a kept connection dies before the first byte of the answer; here only idempotent methods are). Uses libcurl.
// SPDX-License-Identifier: MIT
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>
#include <string_view>

#include "runtime/effects/http_client.hpp"

namespace perilune::effects {

class HttpTransfer {
 public:
  HttpTransfer(uint64_t id, HttpRequest request, Done<HttpResponse> done);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Checks the request and makes the easy handle; a request that cannot be sent is a failure.
  void prepare();
  // Ends the exchange with this error, if it has none yet: nothing more is given to on_data.
  void fail(Error error);
  // What came of it, once libcurl has let go of the easy handle. `code` counts when nothing had failed before.
  Result<HttpResponse> take_result(CURLcode code, int64_t duration_us);

  uint64_t id() const { return id_; }
  CURL* easy() const { return easy_; }
  bool failed() const { return failure_.has_value(); }
  std::string place()
      const;  // "http: https://example.org:8443", for messages: neither path nor query, they may hold secrets

  Done<HttpResponse> done;  // empty when detached
  bool in_multi = false;    // set by the client
  int64_t started_us = 0;   // set by the client

 private:
  template <class Value>
  void set(CURLoption option, Value value);
  void set_url();
  void set_body();
  void set_headers();
  void set_limits();
  void set_route();
  void add_header(const std::string& line);
  void take_status_line(std::string_view line);
  void take_header(std::string_view line);
  Error error_of(CURLcode code) const;

  static size_t on_body(char* data, size_t size, size_t count, void* self);
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  static size_t on_read(char* buffer, size_t size, size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);

  uint64_t id_;
  HttpRequest request_;
  HttpResponse response_;
  std::optional<Error> failure_;
  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  CURLcode set_code_ = CURLE_OK;  // the first option that libcurl refused
  char detail_[CURL_ERROR_SIZE] = "";

  size_t sent_bytes_ = 0;
  size_t received_bytes_ = 0;
  size_t header_bytes_ = 0;
  bool in_headers_ = false;  // between a status line and the empty line
  bool answered_ = false;    // since the body was last sent from its beginning
};

}  // namespace perilune::effects
