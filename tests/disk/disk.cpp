// What the disk keeps, and what is left of it; see disk.hpp. The calls of SQLite are in disk_vfs.cpp.
// SPDX-License-Identifier: MIT
#include "tests/disk/disk.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace perilune::disk {

namespace {

constexpr size_t k_sector = 512;

void put_number(std::string& text, uint64_t number) { text.append(reinterpret_cast<const char*>(&number), sizeof(number)); }
void put(std::string& text, const std::string& bytes) {
  put_number(text, bytes.size());
  text += bytes;
}

// Reads what put() and put_number() wrote.
class Taker {
 public:
  explicit Taker(const std::string& text) : text_(text) {}
  uint64_t number() {
    uint64_t number = 0;
    std::memcpy(&number, text_.data() + at_, sizeof(number));
    at_ += sizeof(number);
    return number;
  }
  std::string bytes() {
    uint64_t size = number();
    at_ += size;
    return text_.substr(at_ - size, size);
  }

 private:
  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace

const char* call_name(Call call) {
  static constexpr const char* k_names[] = {"open", "read", "write", "truncate", "sync", "remove", "size", "map", "access"};
  return k_names[static_cast<size_t>(call)];
}

bool changes(Call call) {
  return call == Call::write || call == Call::truncate || call == Call::sync || call == Call::remove || call == Call::open;
}

Verdict Disk::ask(Call call, const std::string& name, int64_t offset, int64_t bytes) {
  if (off_) return Verdict::off_before;
  Event event{++calls_, call, name.substr(name.rfind('/') + 1), offset, bytes};
  Verdict verdict = judge ? judge(event) : Verdict::pass;
  if (verdict >= Verdict::off_before) off_ = true;
  return verdict;
}

Disk::File* Disk::find(const std::string& name) {
  auto found = files_.find(name);
  return found == files_.end() ? nullptr : found->second.get();
}

std::string* Disk::file(const std::string& ending) {
  for (auto& [name, file] : files_)
    if (name.ends_with(ending)) return &file->written;
  return nullptr;
}

void Disk::apply_to(std::string& image, const Change& change) {
  if (change.offset < 0) return image.resize(static_cast<size_t>(change.size));
  size_t end = static_cast<size_t>(change.offset) + change.bytes.size();
  if (image.size() < end) image.resize(end);
  std::memcpy(image.data() + change.offset, change.bytes.data(), change.bytes.size());
}

// Some of its sectors, any of them; one may hold neither what was there nor what was to come.
void Disk::tear(std::string& image, const Change& change, Random& random) {
  if (change.offset < 0) return;
  size_t from = 0;
  while (from < change.bytes.size()) {
    size_t place = static_cast<size_t>(change.offset) + from;
    size_t length = std::min(change.bytes.size() - from, k_sector - place % k_sector);
    if (random.below(2) == 0) {
      Change part{static_cast<int64_t>(place), 0, change.bytes.substr(from, length)};
      if (random.below(16) == 0)
        for (char& byte : part.bytes) byte = static_cast<char>(random.next());
      apply_to(image, part);
    }
    from += length;
  }
}

void Disk::apply(File& file, Change change) {
  apply_to(file.written, change);
  file.pending.push_back(std::move(change));
}

void Disk::sync_names() {
  for (auto& [name, file] : files_) file->listed = true;
  std::erase_if(gone_, [](const auto& file) { return file->users == 0; });
  for (auto& file : gone_) file->listed = false;
}

void Disk::power_loss(Random& random) {
  auto settle = [&random](File& file) {
    for (const Change& change : file.pending) {
      uint64_t fate = random.below(4);   // two of four writes have reached the disk, one in part
      if (fate < 2)
        apply_to(file.durable, change);
      else if (fate == 2)
        tear(file.durable, change, random);
    }
    file.pending.clear();
    file.written = file.durable;
  };
  std::map<std::string, std::unique_ptr<File>> left;
  for (auto& file : gone_)
    if (file->listed && random.below(2) == 0) left[file->name] = std::move(file);   // it was never removed
  for (auto& [name, file] : files_)
    if (file->listed || random.below(2) == 0) left[name] = std::move(file);
  gone_.clear();
  files_ = std::move(left);
  for (auto& [name, file] : files_) {
    settle(*file);
    file->listed = true;
    file->removed = false;
  }
  off_ = false;
}

void Disk::killed() {
  std::erase_if(gone_, [](const auto& file) { return !file->listed; });
  off_ = false;
}

std::string Disk::saved() const {
  std::string text;
  auto put_file = [&text](const File& file) {
    put(text, file.name);
    put(text, file.written);
    put(text, file.durable);
    put_number(text, file.listed);
    put_number(text, file.removed);
    put_number(text, file.pending.size());
    for (const Change& change : file.pending) {
      put_number(text, static_cast<uint64_t>(change.offset));
      put_number(text, static_cast<uint64_t>(change.size));
      put(text, change.bytes);
    }
  };
  put_number(text, files_.size() + gone_.size());
  for (const auto& [name, file] : files_) put_file(*file);
  for (const auto& file : gone_) put_file(*file);
  return text;
}

void Disk::load(const std::string& text) {
  files_.clear();
  gone_.clear();
  Taker take(text);
  for (uint64_t left = take.number(); left > 0; --left) {
    auto file = std::make_unique<File>();
    file->name = take.bytes();
    file->written = take.bytes();
    file->durable = take.bytes();
    file->listed = take.number() != 0;
    file->removed = take.number() != 0;
    for (uint64_t changes_left = take.number(); changes_left > 0; --changes_left) {
      Change change;
      change.offset = static_cast<int64_t>(take.number());
      change.size = static_cast<int64_t>(take.number());
      change.bytes = take.bytes();
      file->pending.push_back(std::move(change));
    }
    if (file->removed)
      gone_.push_back(std::move(file));
    else
      files_[file->name] = std::move(file);
  }
  off_ = false;
}

}  // namespace perilune::disk
