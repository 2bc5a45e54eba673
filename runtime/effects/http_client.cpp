// The HTTP client, see http_client.hpp: libcurl's multi interface (multi_socket) driven by the worker's loop.
//
//   socket ready (http_socket_watch) ---+
//   libcurl's timer (a loop timer) -----+--> curl_multi_socket_action --> finished exchanges --> `done`
//   send(), cancel() -- post() --> begin() or finish()
//
// Promises: libcurl is never called from inside its own callbacks; whatever a callback of the caller does (send,
// cancel, destroy its Effect or the whole client) is sound. Destroying the client drops what is in flight: sockets are
// closed at once and no `done` is called any more. The loop must outlive the client. Uses libcurl through
// http_transfer.hpp, libuv through http_socket_watch.hpp. SPDX-License-Identifier: MIT
#include "runtime/effects/http_client.hpp"

#include <curl/curl.h>

#include <map>
#include <utility>

#include "runtime/effects/http_socket_watch.hpp"
#include "runtime/effects/http_transfer.hpp"

namespace perilune::effects {

namespace {

constexpr long k_idle_connections_max = 64;

// What libcurl sees. Kept alive by the client, and by itself while it runs.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(loop::Loop& loop);
  ~Session() { close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::shared_ptr<HttpTransfer> send(HttpRequest request, Done<HttpResponse> done);
  void fail_later(HttpTransfer& transfer, Error error);  // ends it from the loop
  void close();                                          // from inside libcurl: when libcurl has returned

 private:
  class InsideCurl;

  void post_for(uint64_t id, void (Session::*step)(uint64_t));
  void begin(uint64_t id);
  void end(uint64_t id) { finish(id, CURLE_ABORTED_BY_CALLBACK); }
  void act(curl_socket_t socket, int events);
  void finish(uint64_t id, CURLcode code);
  void drop_all();

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void*);
  static int on_timer(CURLM*, long delay_ms, void* self);

  loop::Loop& loop_;
  CURLM* multi_ = nullptr;
  std::unique_ptr<HttpSocketWatch> sockets_;
  std::map<uint64_t, std::shared_ptr<HttpTransfer>> transfers_;
  uint64_t next_id_ = 1;
  loop::TimerId timer_ = 0;
  int inside_curl_ = 0;
  bool closed_ = false;
};

// Held around each call of libcurl that may call back. A close() that was asked for meanwhile is done at its end.
class Session::InsideCurl {
 public:
  explicit InsideCurl(Session& session) : session_(session.shared_from_this()) { ++session_->inside_curl_; }
  ~InsideCurl() {
    if (--session_->inside_curl_ == 0 && session_->closed_) session_->drop_all();
  }
  InsideCurl(const InsideCurl&) = delete;
  InsideCurl& operator=(const InsideCurl&) = delete;

 private:
  std::shared_ptr<Session> session_;
};

Session::Session(loop::Loop& loop) : loop_(loop) {
  static const CURLcode k_global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (k_global != CURLE_OK || loop_.uv() == nullptr) return;  // send() then says so
  multi_ = curl_multi_init();
  if (multi_ == nullptr) return;
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Session::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Session::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, k_idle_connections_max);
  sockets_ = std::make_unique<HttpSocketWatch>(loop_.uv(), [this](int fd, SocketEvents seen) {
    act(fd, (seen.readable ? CURL_CSELECT_IN : 0) | (seen.writable ? CURL_CSELECT_OUT : 0) |
                (seen.error ? CURL_CSELECT_ERR : 0));
  });
}

// Nothing is told to libcurl yet: this may be called by on_data, inside libcurl.
std::shared_ptr<HttpTransfer> Session::send(HttpRequest request, Done<HttpResponse> done) {
  const uint64_t id = next_id_++;
  auto transfer = std::make_shared<HttpTransfer>(id, std::move(request), std::move(done));
  transfer->started_us = loop_.clock().mono_us();
  if (multi_ != nullptr) {
    transfer->prepare();
  } else {
    transfer->fail({code::k_internal, "http: this loop has no network (simulated time), or libcurl did not start"});
  }
  transfers_.emplace(id, transfer);
  post_for(id, &Session::begin);
  return transfer;
}

void Session::fail_later(HttpTransfer& transfer, Error error) {
  if (transfer.failed()) return;  // it is on its way
  transfer.fail(std::move(error));
  post_for(transfer.id(), &Session::end);
}

void Session::post_for(uint64_t id, void (Session::*step)(uint64_t)) {
  loop_.post([weak = weak_from_this(), id, step] {
    if (auto session = weak.lock()) (session.get()->*step)(id);
  });
}

void Session::begin(uint64_t id) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  HttpTransfer& transfer = *found->second;
  if (transfer.failed()) return end(id);
  InsideCurl inside(*this);
  const CURLMcode code = curl_multi_add_handle(multi_, transfer.easy());
  transfer.in_multi = code == CURLM_OK;
  if (code != CURLM_OK) fail_later(transfer, {code::k_internal, transfer.place() + ": " + curl_multi_strerror(code)});
}

void Session::act(curl_socket_t socket, int events) {
  const auto self = shared_from_this();
  {
    InsideCurl inside(*this);
    int running = 0;
    curl_multi_socket_action(multi_, socket, events, &running);
  }
  int left = 0;
  while (!closed_) {
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    if (message == nullptr) break;
    if (message->msg != CURLMSG_DONE) continue;
    void* transfer = nullptr;
    const CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(static_cast<HttpTransfer*>(transfer)->id(), code);
  }
}

// The transfer is taken off the list before `done` is called: the call may do anything, also destroy the client.
void Session::finish(uint64_t id, CURLcode code) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  const auto transfer = found->second;
  transfers_.erase(found);
  if (transfer->in_multi) {
    InsideCurl inside(*this);
    curl_multi_remove_handle(multi_, transfer->easy());
    transfer->in_multi = false;
  }
  const Done<HttpResponse> done = std::exchange(transfer->done, nullptr);
  if (!done) return;
  done(transfer->take_result(code, loop_.clock().mono_us() - transfer->started_us));
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  if (inside_curl_ == 0) drop_all();
}

void Session::drop_all() {
  ++inside_curl_;  // for good: what the captures of dropped callbacks still ask for comes to nothing
  for (auto& [id, transfer] : transfers_) {
    if (transfer->in_multi) curl_multi_remove_handle(multi_, transfer->easy());
    transfer->in_multi = false;
  }
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  multi_ = nullptr;
  loop_.stop_timer(timer_);
  timer_ = 0;
  sockets_.reset();
  const auto dropped = std::exchange(transfers_, {});
}

// While the session closes, libcurl may still ask to watch a socket before it closes it: that comes to nothing.
int Session::on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void*) {
  auto& session = *static_cast<Session*>(self);
  if (what == CURL_POLL_REMOVE) {
    session.sockets_->forget(socket);
    return 0;
  }
  if (session.closed_) return 0;
  const bool readable = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  const bool writable = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  if (session.sockets_->watch(socket, readable, writable)) return 0;
  void* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  if (transfer != nullptr) {
    auto& failed = *static_cast<HttpTransfer*>(transfer);
    session.fail_later(failed, {code::k_io, failed.place() + ": the socket cannot be watched"});
  }
  return 0;  // -1 would end every exchange
}

// A delay of 0 goes through the loop too: libcurl must not be called from here.
int Session::on_timer(CURLM*, long delay_ms, void* self) {
  auto& session = *static_cast<Session*>(self);
  session.loop_.stop_timer(session.timer_);
  session.timer_ = 0;
  if (delay_ms < 0 || session.closed_) return 0;
  session.timer_ = session.loop_.start_timer(static_cast<int64_t>(delay_ms) * 1000, [&session] {
    session.timer_ = 0;
    session.act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

class HttpEffect final : public Effect {
 public:
  HttpEffect(std::weak_ptr<Session> session, std::weak_ptr<HttpTransfer> transfer)
      : session_(std::move(session)), transfer_(std::move(transfer)) {}

  ~HttpEffect() override {
    if (const auto transfer = transfer_.lock()) transfer->done = nullptr;
    cancel();
  }

  void cancel() override {
    const auto session = session_.lock();
    const auto transfer = transfer_.lock();
    if (!session || !transfer) return;
    session->fail_later(*transfer, {code::k_cancelled, transfer->place() + ": cancelled"});
  }

 private:
  std::weak_ptr<Session> session_;
  std::weak_ptr<HttpTransfer> transfer_;
};

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(loop::Loop& loop) : session_(std::make_shared<Session>(loop)) {}
  ~CurlHttpClient() override { session_->close(); }

  std::unique_ptr<Effect> send(HttpRequest request, Done<HttpResponse> done) override {
    auto transfer = session_->send(std::move(request), std::move(done));
    return std::make_unique<HttpEffect>(session_, transfer);
  }

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(loop::Loop& loop) { return std::make_unique<CurlHttpClient>(loop); }

}  // namespace perilune::effects
