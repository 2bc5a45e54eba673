// The one Catch main of all unit tests, in a file of its own because it is slow to compile.
// SPDX-License-Identifier: MIT

// Under a sanitizer Catch's signal handlers would hide the better report.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#endif
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
