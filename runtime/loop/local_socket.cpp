// Unix sockets on libuv; see local_socket.hpp. A handle outlives its owner until libuv has closed it: it stands in a
// structure of its own, which forgets its owner first.
// SPDX-License-Identifier: MIT
#include "runtime/loop/local_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace perilune::loop {

namespace {

constexpr size_t k_line_bytes_max = 96u << 20;     // an input may have 64 MiB
constexpr size_t k_unread_bytes_max = 64u << 20;   // what a peer may leave unread

Error trouble(const std::string& what, int error) {
  return Error(code::k_io, what + ": " + std::strerror(error));
}

// In the abstract name space: no file is left behind, and no name is too long or in the way.
struct Address {
  explicit Address(const std::string& name) {
    address.sun_family = AF_UNIX;   // the path begins with a zero byte
    size_t length = std::min(name.size(), sizeof(address.sun_path) - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr_un address = {};
  socklen_t size = 0;
};

bool is_one_of_us(int fd) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == getuid() || peer.uid == 0;
}

}  // namespace

struct LocalConnection::Stream {
  uv_pipe_t pipe;
  LocalConnection* owner = nullptr;   // null: it is being closed
  std::function<void(std::string)> line;
  std::function<void()> closed;
  std::string begun;                  // of a line
  char buffer[64 * 1024];

  void shut() {
    owner = nullptr;
    if (!uv_is_closing(reinterpret_cast<uv_handle_t*>(&pipe)))
      uv_close(reinterpret_cast<uv_handle_t*>(&pipe), [](uv_handle_t* handle) { delete static_cast<Stream*>(handle->data); });
  }
  // The peer has gone: whoever listens is told, once.
  void drop() {
    if (owner == nullptr) return;
    owner->stream_ = nullptr;
    auto tell = std::move(closed);
    shut();
    if (tell) tell();
  }
  // Its end is read then, on the loop.
  void cut() {
    uv_os_fd_t fd = -1;
    if (uv_fileno(reinterpret_cast<uv_handle_t*>(&pipe), &fd) == 0) ::shutdown(fd, SHUT_RDWR);
  }
  void took(const char* bytes, size_t size) {
    begun.append(bytes, size);
    size_t from = 0;
    while (owner != nullptr) {
      size_t end = begun.find('\n', from);
      if (end == std::string::npos) break;
      auto call = line;   // which may destroy the owner
      std::string whole = begun.substr(from, end - from);
      from = end + 1;
      if (call) call(std::move(whole));
    }
    begun.erase(0, from);
    if (begun.size() > k_line_bytes_max) drop();
  }
};

Result<std::unique_ptr<LocalConnection>> LocalConnection::open(Loop& loop, const std::string& name) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return trouble("cannot make a socket", errno);
  Address address(name);
  if (connect(fd, address.get(), address.size) != 0 || !is_one_of_us(fd)) {
    int error = errno;
    close(fd);
    return trouble("cannot reach " + name, error);
  }
  auto* stream = new Stream;
  stream->pipe.data = stream;
  uv_pipe_init(loop.uv(), &stream->pipe, 0);
  uv_pipe_open(&stream->pipe, fd);
  std::unique_ptr<LocalConnection> connection(new LocalConnection(stream));
  stream->owner = connection.get();
  return connection;
}

LocalConnection::~LocalConnection() {
  if (stream_ != nullptr) stream_->shut();
}

void LocalConnection::listen(std::function<void(std::string)> line, std::function<void()> closed) {
  if (stream_ == nullptr) return;
  stream_->line = std::move(line);
  stream_->closed = std::move(closed);
  auto allocate = [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    auto* stream = static_cast<Stream*>(handle->data);
    *buffer = uv_buf_init(stream->buffer, sizeof(stream->buffer));
  };
  auto read = [](uv_stream_t* handle, ssize_t size, const uv_buf_t* buffer) {
    auto* stream = static_cast<Stream*>(handle->data);
    if (size < 0) stream->drop();
    else if (size > 0) stream->took(buffer->base, static_cast<size_t>(size));
  };
  uv_read_start(reinterpret_cast<uv_stream_t*>(&stream_->pipe), allocate, read);
}

void LocalConnection::send(std::string text) {
  if (stream_ == nullptr) return;
  auto* target = reinterpret_cast<uv_stream_t*>(&stream_->pipe);
  if (uv_stream_get_write_queue_size(target) > k_unread_bytes_max) return stream_->cut();
  struct Write {
    uv_write_t request;
    std::string text;
  };
  auto* write = new Write{{}, std::move(text)};
  write->text += '\n';
  write->request.data = write;
  uv_buf_t buffer = uv_buf_init(write->text.data(), static_cast<unsigned>(write->text.size()));
  auto written = [](uv_write_t* request, int) { delete static_cast<Write*>(request->data); };
  if (uv_write(&write->request, target, &buffer, 1, written) != 0) delete write;
}

struct LocalListener::Server {
  uv_pipe_t pipe;
  std::function<void(std::unique_ptr<LocalConnection>)> connected;   // empty: it is being closed

  void take() {
    auto* stream = new LocalConnection::Stream;
    stream->pipe.data = stream;
    uv_pipe_init(pipe.loop, &stream->pipe, 0);
    uv_os_fd_t fd = -1;
    bool taken = uv_accept(reinterpret_cast<uv_stream_t*>(&pipe), reinterpret_cast<uv_stream_t*>(&stream->pipe)) == 0;
    if (!taken || uv_fileno(reinterpret_cast<uv_handle_t*>(&stream->pipe), &fd) != 0 || !is_one_of_us(fd)) return stream->shut();
    std::unique_ptr<LocalConnection> connection(new LocalConnection(stream));
    stream->owner = connection.get();
    connected(std::move(connection));
  }
};

Result<std::unique_ptr<LocalListener>> LocalListener::open(Loop& loop, const std::string& name,
                                                           std::function<void(std::unique_ptr<LocalConnection>)> connected) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return trouble("cannot make a socket", errno);
  Address address(name);
  if (bind(fd, address.get(), address.size) != 0) {
    int error = errno;
    close(fd);
    return trouble("cannot listen as " + name, error);
  }
  auto* server = new Server;
  server->connected = std::move(connected);
  server->pipe.data = server;
  uv_pipe_init(loop.uv(), &server->pipe, 0);
  uv_pipe_open(&server->pipe, fd);
  uv_listen(reinterpret_cast<uv_stream_t*>(&server->pipe), 16, [](uv_stream_t* handle, int status) {
    auto* listening = static_cast<Server*>(handle->data);
    if (status == 0 && listening->connected) listening->take();
  });
  return std::unique_ptr<LocalListener>(new LocalListener(server));
}

LocalListener::~LocalListener() {
  server_->connected = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&server_->pipe), [](uv_handle_t* handle) { delete static_cast<Server*>(handle->data); });
}

}  // namespace perilune::loop
