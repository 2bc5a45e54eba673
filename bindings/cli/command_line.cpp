// See command_line.hpp. The table of verbs stands at the end of the anonymous namespace: name, one line, options,
// examples. Only the parser of the verb that is meant is built, so that starting costs little. SPDX-License-Identifier:
// MIT
#include "bindings/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/verbs.hpp"
#include "runtime/base/nearest.hpp"

namespace perilune::cli {
namespace {

using Words = std::vector<std::string>;

struct Verb {
  const char* name;
  const char* summary;
  const char* examples;
  int (*call)(const Verb& verb, const Words& words);
};

constexpr int k_help_column = 28;

int usage_error(const Verb& verb, const std::string& what) {
  return complain(Error(code::k_usage, what), std::string("perilune ") + verb.name + " --help");
}

// What CLI11 could not place: an option that is none, or a word too many.
int refuse_extra(const Verb& verb, const CLI::App& app, const std::string& extra) {
  if (extra.size() < 2 || extra[0] != '-') return usage_error(verb, "unexpected argument '" + extra + "'");
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  std::vector<std::string_view> views(names.begin(), names.end());
  return usage_error(
      verb, unknown_name("option", extra.substr(0, extra.find('=')), std::string("perilune ") + verb.name, views));
}

void add_common(CLI::App& app, CommonOptions& options) {
  app.add_option("--store", options.store, "where runs are kept: sqlite:PATH, a path, or memory")->type_name("URL");
  app.add_flag("--json", options.json, "JSON on stdout, for programs");
  app.add_flag("-q,--quiet", options.quiet, "no progress and no remarks, only errors");
}

template <class Options, class Declare>
int parse(const Verb& verb, const Words& words, Declare declare, int (*run)(const Options&)) {
  Options options;
  CLI::App app(std::string(verb.summary) + ".", std::string("perilune ") + verb.name);
  app.get_formatter()->column_width(k_help_column);
  app.footer(std::string("Examples:\n") + verb.examples);
  app.allow_extras();
  declare(app, options);
  add_common(app, options);
  try {
    app.parse(Words(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    print_out(app.help());
    return k_exit_ok;
  } catch (const CLI::ParseError& error) {
    if (Words extra = app.remaining(); !extra.empty()) return refuse_extra(verb, app, extra.front());
    return usage_error(verb, error.what());
  }
  if (Words extra = app.remaining(); !extra.empty()) return refuse_extra(verb, app, extra.front());
  return run(options);
}

std::string limit_problem(const std::string& text) {
  constexpr size_t k_digits_max = 18;  // an int64_t holds them
  bool number = !text.empty() && text.size() <= k_digits_max && text.find_first_not_of("0123456789") == text.npos;
  return number ? std::string() : "'" + text + "' is no limit: a whole number from 1, or 0 for all";
}

void add_filter(CLI::App& app, FilterOptions& options, const std::string& limit_help) {
  app.add_option("--status", options.statuses, "only these, as in running,waiting")->delimiter(',')->type_name("STATUS");
  app.add_option("--workflow", options.workflow, "only runs of this workflow")->type_name("NAME");
  app.add_option("--session", options.session, "only runs of this session")->type_name("NAME");
  app.add_option("--since", options.since, "only runs started since: 2h, 3d, 2026-11-20")->type_name("TIME");
  app.add_option("--limit", options.limit, limit_help)->type_name("N")->check(limit_problem);
}

void add_hooks(CLI::App& app, CommonOptions& options) {
  app.add_option("--hooks", options.hooks, "a hook file beside those of the configuration; may be repeated")->type_name("FILE")->expected(1)->take_all();
}

void add_by(CLI::App& app, std::string& by) {
  app.add_option("--by", by, "who does it, for the record (default user@host)")->type_name("NAME");
}

int call_run(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, RunOptions& options) {
    app.add_option("FILE", options.file, "the workflow script")->required()->type_name("");
    app.add_option("-i,--input", options.input, "the input; @FILE reads a file, - reads stdin (default {})")
        ->type_name("JSON|@FILE|-");
    app.add_option("--id", options.id, "the run's id; an id that exists with this input is that run")->type_name("ID");
    app.add_option("--workflow", options.workflow, "which one, when the file defines several")->type_name("NAME");
    app.add_option("--session", options.session, "a name to find related runs by")->type_name("NAME");
    add_hooks(app, options);
  };
  return parse<RunOptions>(verb, words, declare, verb_run);
}

int call_resume(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, ResumeOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id; the only unfinished one when left out")
        ->type_name("");
    app.add_flag("--all", options.all, "every run that is not over and not paused, or all that these match:");
    add_filter(app, options, "at most so many, the newest");
    add_hooks(app, options);
    add_by(app, options.by);
  };
  return parse<ResumeOptions>(verb, words, declare, verb_resume);
}

int call_test(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, TestOptions& options) {
    app.add_option("PATH", options.paths, "test files, or directories with files named *_test.lua (default .)")->type_name("");
    app.add_flag("--tap", options.tap, "TAP 14 on stdout, for programs");
    app.add_option("--junit", options.junit, "write the results as JUnit XML, too")->type_name("FILE");
  };
  return parse<TestOptions>(verb, words, declare, verb_test);
}

int call_signal(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, SignalOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id")->required()->type_name("");
    app.add_option("NAME", options.name, "the name that receive waits for")->required()->type_name("");
    app.add_option("VALUE", options.value, "what receive gives (default null)")->type_name("JSON");
  };
  return parse<SignalOptions>(verb, words, declare, verb_signal);
}

int call_query(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, QueryOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id")->required()->type_name("");
    app.add_option("NAME", options.name, "what is asked: the name that the script gave to answer()")->required()->type_name("");
    app.add_option("INPUT", options.input, "what the script's function is given (default null)")->type_name("JSON");
  };
  return parse<QueryOptions>(verb, words, declare, verb_query);
}

int call_answer(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, AnswerOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id")->required()->type_name("");
    app.add_option("VALUE", options.value, "the answer: JSON, or one of the choices as it is")->required()->type_name("");
    app.add_option("--question", options.question, "which one, when the run asks several: its number in `perilune status`")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    add_by(app, options.by);
  };
  return parse<AnswerOptions>(verb, words, declare, verb_answer);
}

int call_cancel(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, CancelOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id")->required()->type_name("");
    add_by(app, options.by);
  };
  return parse<CancelOptions>(verb, words, declare, verb_cancel);
}

// retry, skip, rollback, pause and abort, told apart by `More`: what else the verb is told.
template <int (*Run)(const OperateOptions&), void (*More)(CLI::App&, OperateOptions&)>
int call_operate(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, OperateOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id")->type_name("");
    More(app, options);
    app.add_flag("--all", options.all, "all runs that the verb is open for, or all that these match:");
    add_filter(app, options, "at most so many, the newest");
    add_hooks(app, options);
    add_by(app, options.by);
  };
  return parse<OperateOptions>(verb, words, declare, Run);
}

void no_more(CLI::App&, OperateOptions&) {}
void add_result(CLI::App& app, OperateOptions& options) {
  app.add_option("--result", options.result, "what the step gives (default null)")->type_name("JSON");
}
void add_yes(CLI::App& app, OperateOptions& options) { app.add_flag("-y,--yes", options.yes, "do it without asking"); }
void add_to(CLI::App& app, OperateOptions& options) {
  app.add_option("--to", options.to, "the checkpoint that it goes back to")->required()->type_name("CHECKPOINT");
  add_yes(app, options);
}

int call_fork(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, ForkOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id")->required()->type_name("");
    app.add_option("--at", options.at, "the last record that both share (default: the newest that can be)")
        ->type_name("SEQ")
        ->check(CLI::PositiveNumber);
    app.add_option("-i,--input", options.input, "another input; @FILE reads a file, - reads stdin")->type_name("JSON|@FILE|-");
    app.add_option("--id", options.id, "the new run's id")->type_name("ID");
    add_hooks(app, options);
    add_by(app, options.by);
  };
  return parse<ForkOptions>(verb, words, declare, verb_fork);
}

int call_audit(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, AuditOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id; all runs when left out")->type_name("");
    app.add_option("--workflow", options.workflow, "only runs of this workflow")->type_name("NAME");
    app.add_option("--by", options.by, "only what this one did")->type_name("NAME");
    app.add_option("--since", options.since, "only since: 2h, 3d, 2026-11-20")->type_name("TIME");
    app.add_option("--limit", options.limit, "at most so many, the newest; 0 = all (default 50; all with --json)")
        ->type_name("N")
        ->check(limit_problem);
  };
  return parse<AuditOptions>(verb, words, declare, verb_audit);
}

int call_store(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, StoreOptions& options) {
    app.add_option("ACT", options.act, "verify: looks for damage; backup: copies the store as it stands")
        ->required()
        ->type_name("");
    app.add_option("FILE", options.file, "backup: the file to be made")->type_name("");
  };
  return parse<StoreOptions>(verb, words, declare, verb_store);
}

int call_list(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, ListOptions& options) {
    add_filter(app, options, "at most so many, the newest; 0 = all (default 50; all with --json)");
  };
  return parse<ListOptions>(verb, words, declare, verb_list);
}

int call_watch(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, WatchOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id; all runs when left out")->type_name("");
    app.add_option("--from", options.from,
                   "what came behind this: the cursor of a --json line, start, or now (default: start of a RUN, now of all)")
        ->type_name("CURSOR");
    app.add_option("--workflow", options.workflow, "only runs of this workflow")->type_name("NAME");
    app.add_option("--kind", options.kinds, "only these, as in step_done,checkpoint")->delimiter(',')->type_name("KIND");
  };
  return parse<WatchOptions>(verb, words, declare, verb_watch);
}

template <int (*Run)(const RunViewOptions&)>
int call_view(const Verb& verb, const Words& words) {
  auto declare = [](CLI::App& app, RunViewOptions& options) {
    app.add_option("RUN", options.run, "a run, or the beginning of its id; the newest when left out")->type_name("");
  };
  return parse<RunViewOptions>(verb, words, declare, Run);
}

template <int (*Run)(const CommonOptions&)>
int call_plain(const Verb& verb, const Words& words) {
  return parse<CommonOptions>(
      verb, words, [](CLI::App&, CommonOptions&) {}, Run);
}

int call_help(const Verb& verb, const Words& words);

constexpr Verb k_verbs[] = {
    {"run", "Runs a workflow script and stays until it is over",
     "  perilune run order.lua\n"
     "  perilune run order.lua --input '{\"sku\": \"a-1\", \"quantity\": 2}'\n"
     "  perilune run order.lua --input @order.json --id order-17\n"
     "  generate | perilune run load.lua --input - --json > result.json\n"
     "Ctrl-C leaves the run as it is recorded: `perilune resume` goes on with it.\n"
     "Exit codes: 0 completed, 1 failed or cancelled, 2 usage, 3 bad input or script, 4 left, 74 storage, 75 store in "
     "use",
     call_run},
    {"resume", "Goes on with a run that was interrupted",
     "  perilune resume              the only unfinished run\n"
     "  perilune resume 0197aaaa\n"
     "  perilune resume --all",
     call_resume},
    {"list", "Lists runs, the newest first",
     "  perilune list\n"
     "  perilune list --status running,waiting --since 2h\n"
     "  perilune list --json | jq -r '.[] | select(.status == \"failed\") | .run'",
     call_list},
    {"show", "Shows a run: what it got, what it did, what came of it",
     "  perilune show                the newest run\n"
     "  perilune show 0197aaaa\n"
     "  perilune show 0197aaaa --json | jq .steps.charge.output",
     call_view<verb_show>},
    {"status", "Shows where a run stands, what it waits for and what to do next",
     "  perilune status\n"
     "  perilune status 0197aaaa --json",
     call_view<verb_status>},
    {"why", "Explains why a run does not go on: what it waits for, and what would move it",
     "  perilune why 0197aaaa\n"
     "  perilune why 0197aaaa --json | jq -r '.causes[].command'\n"
     "Runs that it waits for, and those that hold its locks, are explained too.",
     call_view<verb_why>},
    {"watch", "Tells what runs do, as it is recorded, while any process executes them",
     "  perilune watch               all runs, from now on\n"
     "  perilune watch 0197aaaa      one run, from its start until it is over\n"
     "  perilune watch --json --from 4711 --kind step_failed,run_done\n"
     "Each --json line has a cursor: whoever goes on with --from and the last one misses nothing and gets nothing twice.\n"
     "Exit codes: as those of run, when the one run that is watched is over.",
     call_watch},
    {"logs", "Prints what a run logged",
     "  perilune logs 0197aaaa\n"
     "  perilune logs 0197aaaa --json | jq 'select(.level == \"error\")'",
     call_view<verb_logs>},
    {"signal", "Gives a run a signal that it receives", "  perilune signal 0197aaaa approved '{\"by\": \"ana\"}'", call_signal},
    {"answer", "Answers a question that a run asks",
     "  perilune answer 0197aaaa yes\n"
     "  perilune answer 0197aaaa --question 12 '{\"amount\": 7}' --by ana",
     call_answer},
    {"query", "Asks a run what its script answers, and prints it as JSON",
     "  perilune query 0197aaaa progress\n"
     "  perilune query 0197aaaa price '{\"sku\": \"a-1\"}'\n"
     "The run itself is not touched: its journal is replayed, also while another process executes it.",
     call_query},
    {"cancel", "Ends a run that is not over", "  perilune cancel 0197aaaa", call_cancel},
    {"retry", "Goes on from the step at which a run failed, with fresh attempts",
     "  perilune retry 0197aaaa\n"
     "  perilune retry --all --status failed --workflow order\n"
     "What is done stays done. What was undone when the run failed is done again (docs/operations.md).",
     call_operate<verb_retry, no_more>},
    {"skip", "Gives up the step that paused a run, and goes on without it",
     "  perilune skip 0197aaaa --result '{\"id\": 7}'",
     call_operate<verb_skip, add_result>},
    {"rollback", "Undoes what a run did since a checkpoint, and goes on from there",
     "  perilune rollback 0197aaaa --to paid\n"
     "  perilune rollback 0197aaaa --to paid --yes     without asking, for scripts",
     call_operate<verb_rollback, add_to>},
    {"pause", "Leaves a run as it is until somebody resumes it",
     "  perilune pause 0197aaaa\n"
     "  perilune pause --all --workflow order",
     call_operate<verb_pause, no_more>},
    {"abort", "Ends a run now, as cancelled, and undoes nothing",
     "  perilune abort 0197aaaa\n"
     "  perilune abort --all --status paused --yes\n"
     "`perilune cancel` ends a run as well, and undoes what it did.",
     call_operate<verb_abort, add_yes>},
    {"fork", "Starts a new run that goes on from a record of another",
     "  perilune fork 0197aaaa --at 12\n"
     "  perilune fork 0197aaaa --at 12 --input '{\"quantity\": 2}' --id second-try\n"
     "`perilune show` numbers the records.",
     call_fork},
    {"audit", "Lists what operators did: who, when, with which run",
     "  perilune audit\n"
     "  perilune audit --since 2d --by ana@desk\n"
     "  perilune audit 0197aaaa --json",
     call_audit},
    {"test", "Runs tests of workflows: virtual time, mocks, a crash at every record",
     "  perilune test\n"
     "  perilune test examples/order_test.lua\n"
     "  perilune test --junit results.xml tests/\n"
     "A test file is a script that begins with: local t = require \"perilune.test\"",
     call_test},
    {"store", "Looks the store over for damage, or copies it",
     "  perilune store verify\n"
     "  perilune store backup perilune-2026-11-20.db\n"
     "Both work beside a process that uses the store. A backup is a store: --store reads it.\n"
     "Exit codes: 0 all is well, 65 damage was found",
     call_store},
    {"doctor", "Checks store, settings and versions",
     "  perilune doctor\n"
     "  PERILUNE_LIMITS_CPU=30s perilune doctor --json",
     call_plain<verb_doctor>},
    {"version", "Prints the versions of perilune and its libraries", "  perilune version --json",
     call_plain<verb_version>},
    {"help", "Explains a verb", "  perilune help run", call_help},
};

const Verb* verb_named(std::string_view name) {
  auto found =
      std::find_if(std::begin(k_verbs), std::end(k_verbs), [name](const Verb& verb) { return name == verb.name; });
  return found == std::end(k_verbs) ? nullptr : found;
}

std::string overview() {
  std::string text =
      "Perilune runs workflows written as Lua scripts; a run that is killed anywhere goes on where it was.\n\n"
      "Usage: perilune VERB ...\n\n";
  constexpr int k_name_width = 9;
  for (const Verb& verb : k_verbs) text += "  " + padded(verb.name, k_name_width) + " " + verb.summary + "\n";
  text +=
      "\nTo begin:\n"
      "  perilune run hello.lua       runs it, and keeps its journal in ./.perilune\n"
      "  perilune resume              goes on with a run that was interrupted\n"
      "  perilune help run            explains a verb, with examples\n";
  return text;
}

int unknown_verb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : k_verbs) names.push_back(verb.name);
  std::error_code failed;
  bool script = word.ends_with(".lua") || std::filesystem::is_regular_file(word, failed);
  if (script)
    return complain(Error(code::k_usage, "'" + word + "' is a file, not a verb"), "perilune run " + printable(word));
  bool option = !word.empty() && word.front() == '-';
  if (option)
    return complain(Error(code::k_usage, "the verb comes first, then options such as " + word), "perilune help");
  return complain(Error(code::k_usage, unknown_name("verb", word, "", names)), "perilune help");
}

int call_help(const Verb& verb, const Words& words) {
  if (words.empty()) {
    print_out(overview());
    return k_exit_ok;
  }
  if (words.size() > 1) return usage_error(verb, "unexpected argument '" + words[1] + "'");
  const Verb* meant = words.front() == "--help" || words.front() == "-h" ? &verb : verb_named(words.front());
  if (meant == nullptr) return unknown_verb(words.front());
  if (meant->call == call_help) return call_help(verb, {});
  return meant->call(*meant, {"--help"});
}

}  // namespace

int run_command_line(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_err(overview());
    return k_exit_usage;
  }
  std::string name = words.front();
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Verb* verb = verb_named(name);
  if (verb == nullptr) return unknown_verb(name);
  return verb->call(*verb, Words(words.begin() + 1, words.end()));
}

}  // namespace perilune::cli
