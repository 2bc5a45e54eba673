// Another perilune that carries out a verb while this one goes on: `top` sends it to cancel or retry a run. It has a session of
// its own, so that it outlives the one who sent it. SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace perilune::cli {

class Errand {
 public:
  // The arguments of the program, and what is told of it: "retry 0197aaaa".
  Errand(const std::vector<std::string>& words, std::string name);
  Errand(Errand&& other) noexcept;
  Errand& operator=(Errand&& other) noexcept;
  ~Errand();

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  // How it ended, in a line: "retry 0197aaaa: done", or the first thing it complained of. Nothing while it goes on.
  std::optional<std::string> over();

 private:
  std::string name_, said_;
  pid_t pid_ = -1;
  int output_ = -1;    // its stderr
};

}  // namespace perilune::cli
