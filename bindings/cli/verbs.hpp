// The verbs, one file each (verb_NAME.cpp), and what the command line told them. A verb returns the exit code.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace perilune::cli {

struct CommonOptions {
  std::string store;  // --store, or empty
  bool json = false;
  bool quiet = false;
};

struct RunOptions : CommonOptions {
  std::string file;
  std::string input = "{}";  // JSON, @FILE, or "-" for stdin
  std::string id, session, workflow;
};
int verb_run(const RunOptions& options);

struct ResumeOptions : CommonOptions {
  std::string run;
  bool all = false;
};
int verb_resume(const ResumeOptions& options);

struct CancelOptions : CommonOptions {
  std::string run;
};
int verb_cancel(const CancelOptions& options);

struct SignalOptions : CommonOptions {
  std::string run, name;
  std::string value = "null";  // JSON
};
int verb_signal(const SignalOptions& options);

struct ListOptions : CommonOptions {
  std::vector<std::string> statuses;
  std::string workflow, session, since;
  int64_t limit = -1;  // -1 = the default: 50 in a table, none in JSON
};
int verb_list(const ListOptions& options);

// Without `run`: the newest.
struct RunViewOptions : CommonOptions {
  std::string run;
};
int verb_show(const RunViewOptions& options);
int verb_status(const RunViewOptions& options);
int verb_logs(const RunViewOptions& options);

int verb_doctor(const CommonOptions& options);
int verb_version(const CommonOptions& options);

}  // namespace perilune::cli
