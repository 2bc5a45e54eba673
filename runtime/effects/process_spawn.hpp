// Starting a child process by vfork: the child borrows our memory until it executes, so that the price does not grow
// with that memory. The calling thread stands still for that time (some 200 us); other threads go on.
//
// What the child is: leader of a process group of its own; killed when the calling thread ends (PR_SET_PDEATHSIG means
// the thread, so children are started on threads that live as long as their worker); signals at their defaults, none
// blocked; no descriptor but 0, 1 and 2.
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "runtime/base/result.hpp"
#include "runtime/effects/fd.hpp"
#include "runtime/effects/process_image.hpp"

namespace perilune::effects {

struct Pipe {
  Fd read, write;
};

// Both ends are closed on exec and are never 0, 1 or 2, also when the host has closed those.
Result<Pipe> make_pipe();
// /dev/null for reading, under the same promise.
Result<Fd> open_null();

// Child's ends, borrowed.
struct ChildStreams {
  int in, out, err;
};

struct Child {
  pid_t pid = -1;  // also its group
  Fd pidfd;        // readable when it has exited
};

// The child runs its program when this returns. Errors: "not_found", "denied", "io", as ProcessRunner says. The limits
// are read off `spec`; they never raise what we have ourselves.
Result<Child> spawn_child(const ProcessImage& image, const ProcessSpec& spec, const ChildStreams& streams);

}  // namespace perilune::effects
