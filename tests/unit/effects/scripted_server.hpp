// A server for tests of the HTTP client: plain blocking sockets on 127.0.0.1, a thread a connection, and a function
// that plays the part of the server on each of them. It counts what it saw. The destructor cuts every connection.
// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace perilune::effects {

struct SeenRequest {
  std::string line;  // "GET /path HTTP/1.1"
  std::string head;  // all of the header block, with the request line
  std::string body;
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class ScriptedServer {
 public:
  class Connection {
   public:
    Connection(ScriptedServer& server, int fd, int number_) : number(number_), server_(server), fd_(fd) {}
    // The next request with its body; nothing when the client has gone.
    std::optional<SeenRequest> read();
    bool write(std::string_view bytes);
    void answer(int status, const std::string& body, const std::string& more_headers = "");
    void wait_until_closed();
    void cut(bool reset);  // FIN, or RST

    const int number;  // 1 = the first connection

   private:
    bool fill();
    ScriptedServer& server_;
    int fd_;
    std::string pending_;
  };
  using Script = std::function<void(Connection&)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();

  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int port() const { return port_; }
  int accepted() const {
    std::lock_guard lock(mutex_);
    return static_cast<int>(fds_.size());
  }
  std::vector<SeenRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all();
  int keep(int fd);

  Script script_;
  int listen_fd_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<int> fds_;  // of all connections; closed by the destructor, so that no number is used twice
  std::vector<SeenRequest> requests_;
  std::vector<std::thread> threads_;  // of the accepting thread until it is joined
  std::thread accepting_;
};

// Answers every request with the same status and body, on kept connections.
inline ScriptedServer::Script always(int status, std::string body, std::string more_headers = "") {
  return [=](ScriptedServer::Connection& connection) {
    while (connection.read()) connection.answer(status, body, more_headers);
  };
}

inline ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listen_fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listen_fd_, 512) != 0) abort();
  getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

inline ScriptedServer::~ScriptedServer() {
  shutdown(listen_fd_, SHUT_RDWR);
  accepting_.join();
  for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
  for (const int fd : fds_) close(fd);
  close(listen_fd_);
}

inline void ScriptedServer::accept_all() {
  for (;;) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int number = keep(fd);
    threads_.emplace_back([this, fd, number] {
      Connection connection(*this, fd, number);
      script_(connection);
      shutdown(fd, SHUT_RDWR);
    });
  }
}

inline int ScriptedServer::keep(int fd) {
  std::lock_guard lock(mutex_);
  fds_.push_back(fd);
  return static_cast<int>(fds_.size());
}

inline bool ScriptedServer::Connection::fill() {
  char buffer[16384];
  const ssize_t bytes = recv(fd_, buffer, sizeof buffer, 0);
  if (bytes > 0) pending_.append(buffer, static_cast<size_t>(bytes));
  return bytes > 0;
}

inline std::optional<SeenRequest> ScriptedServer::Connection::read() {
  size_t end;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  SeenRequest request;
  request.head = pending_.substr(0, end + 2);
  request.line = request.head.substr(0, request.head.find("\r\n"));
  const size_t length_at = request.head.find("Content-Length: ");
  const size_t length = length_at == std::string::npos ? 0 : std::stoul(request.head.substr(length_at + 16));
  while (pending_.size() < end + 4 + length) {
    if (!fill()) return {};
  }
  request.body = pending_.substr(end + 4, length);
  pending_.erase(0, end + 4 + length);
  std::lock_guard lock(server_.mutex_);
  server_.requests_.push_back(request);
  return request;
}

inline bool ScriptedServer::Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

inline void ScriptedServer::Connection::answer(int status, const std::string& body, const std::string& more_headers) {
  write("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
        more_headers + "\r\n" + body);
}

inline void ScriptedServer::Connection::cut(bool reset) {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;  // Linux: takes a connection down with RST and keeps the descriptor
  if (reset) connect(fd_, &nowhere, sizeof nowhere);
  shutdown(fd_, SHUT_RDWR);
}

inline void ScriptedServer::Connection::wait_until_closed() {
  while (fill()) {
  }
}

}  // namespace perilune::effects
