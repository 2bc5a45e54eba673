// The functions inside a compiled chunk: where each lies in the bytecode, and a chunk of its own made of one. So a closure
// that was made while a script ran is found in the code that it came from, and made again in another process.
// Reads bytecode that this process has compiled itself, nothing else; a layout that it does not know gives no functions.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perilune::lua {

class Bytecode {
 public:
  // Of a whole chunk, as compile_text gives it.
  explicit Bytecode(std::string chunk);

  // In the order in which they stand in the source, an outer one before those in it; 0 is the chunk's own. Empty: unknown
  // layout.
  size_t functions() const { return functions_.size(); }
  // Which of them the dump of a closure (with its debug information) is, or functions().
  size_t find(std::string_view dump) const;
  // Bytecode that loads as function `index`.
  std::string function(size_t index) const;

 private:
  struct Function {
    size_t begin, end;      // from behind its source name to its end
    int line, last_line;
    unsigned char upvalues;
  };
  struct Reader;
  std::string chunk_;
  size_t source_begin_ = 0, source_end_ = 0;   // the name of the source, as it stands in the bytecode
  std::vector<Function> functions_;
};

}  // namespace perilune::lua
