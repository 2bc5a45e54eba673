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
  std::vector<std::string> hooks;  // --hooks, of verbs that let runs go on
};

struct RunOptions : CommonOptions {
  std::string file;
  std::string input = "{}";  // JSON, @FILE, or "-" for stdin
  std::string id, session, workflow;
};
int verb_run(const RunOptions& options);

struct FilterOptions {
  std::vector<std::string> statuses;
  std::string workflow, session, since;
  int64_t limit = -1;  // -1 = the verb's default
};

struct ResumeOptions : CommonOptions, FilterOptions {
  std::string run;
  bool all = false;
  std::string by;  // who; empty = user@host
};
int verb_resume(const ResumeOptions& options);

// What operators do with runs that nobody executes: on one, or on all that a filter matches.
struct OperateOptions : ResumeOptions {
  bool yes = false;               // do not ask
  std::string result = "null";    // skip: JSON
  std::string to;                 // rollback
};
int verb_retry(const OperateOptions& options);
int verb_skip(const OperateOptions& options);
int verb_rollback(const OperateOptions& options);
int verb_pause(const OperateOptions& options);
int verb_abort(const OperateOptions& options);

struct ForkOptions : CommonOptions {
  std::string run, input, id, by;
  int64_t at = 0;  // 0 = the newest possible
};
int verb_fork(const ForkOptions& options);

// Without `run`: all runs of the store.
struct AuditOptions : CommonOptions {
  std::string run, workflow, by, since;
  int64_t limit = -1;
};
int verb_audit(const AuditOptions& options);

struct CancelOptions : CommonOptions {
  std::string run, by;
};
int verb_cancel(const CancelOptions& options);

struct SignalOptions : CommonOptions {
  std::string run, name;
  std::string value = "null";  // JSON
};
int verb_signal(const SignalOptions& options);

struct QueryOptions : CommonOptions {
  std::string run, name;
  std::string input = "null";  // JSON
};
int verb_query(const QueryOptions& options);

struct AnswerOptions : CommonOptions {
  std::string run, value;  // value: JSON, or one of the choices as it is
  std::string by;
  int64_t question = 0;    // 0 = the only one that is open
};
int verb_answer(const AnswerOptions& options);

struct ListOptions : CommonOptions, FilterOptions {};  // default limit: 50 in a table, none in JSON
int verb_list(const ListOptions& options);

// Without `run`: the newest.
struct RunViewOptions : CommonOptions {
  std::string run;
};
int verb_show(const RunViewOptions& options);
int verb_status(const RunViewOptions& options);
int verb_why(const RunViewOptions& options);
int verb_logs(const RunViewOptions& options);

// Test files, or directories of them; the working directory when there are none.
struct TestOptions : CommonOptions {
  std::vector<std::string> paths;
  std::string junit;  // a file to be written
  bool tap = false;
};
int verb_test(const TestOptions& options);

// What is done with the store itself.
struct StoreOptions : CommonOptions {
  std::string act;   // "verify", "backup"
  std::string file;  // backup: the new file
};
int verb_store(const StoreOptions& options);

// Without `run`: all runs.
struct WatchOptions : CommonOptions {
  std::string run, workflow, from;   // from: a cursor, "start", "now", or empty = the verb's default
  std::vector<std::string> kinds;
};
int verb_watch(const WatchOptions& options);

int verb_doctor(const CommonOptions& options);
int verb_version(const CommonOptions& options);

}  // namespace perilune::cli
