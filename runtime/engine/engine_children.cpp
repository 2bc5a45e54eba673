// Runs that begin other runs and wait for them: how a called workflow is found, and who is told of an end. See engine.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>

#include "runtime/engine/modules.hpp"
#include "runtime/engine/run.hpp"

namespace perilune::engine {

namespace {

// The modules of code that stands.
class BundleSource final : public ModuleSource {
 public:
  BundleSource(const std::map<std::string, std::string>& builtin, const Bundle& bundle)
      : builtin_(builtin), bundle_(bundle) {}
  Result<std::string> find_module(const std::string& name) override {
    if (auto found = bundle_.modules.find(name); found != bundle_.modules.end()) return found->second;
    if (auto found = builtin_.find(name); found != builtin_.end()) return found->second;
    return Error(code::k_not_found, "the code of the run has no module '" + name + "'");
  }

 private:
  const std::map<std::string, std::string>& builtin_;
  const Bundle& bundle_;
};

flow::Ending ending_of(const store::RunRow& row) {
  flow::Ending ending;
  ending.status = row.status;
  ending.output = row.output;
  if (!row.error.empty()) ending.error = std::make_shared<const Error>(error_from_json_text(row.error));
  return ending;
}

struct Named {
  std::string name;
  int64_t version = 0;   // 0 = any
};

// "billing" or "billing@2".
Result<Named> parse_name(const std::string& text) {
  size_t at = text.rfind('@');
  Named named{text.substr(0, at), 0};
  if (at == std::string::npos) return named;
  const char* end = text.data() + text.size();
  auto [stop, failed] = std::from_chars(text.data() + at + 1, end, named.version);
  if (failed != std::errc() || stop != end || named.version < 1)
    return Error(code::k_usage, "'" + text + "' is no workflow: behind the @ goes a version, a whole number from 1");
  return named;
}

const Definition* find_definition(const std::vector<Definition>& definitions, const std::string& name) {
  auto found = std::find_if(definitions.begin(), definitions.end(), [&](const Definition& d) { return d.name == name; });
  return found == definitions.end() ? nullptr : &*found;
}

}  // namespace

Result<Engine::Inspection> Engine::inspect_pinned(const BundleRef& bundle) {
  auto found = inspected_.find(bundle->hash);
  if (found != inspected_.end()) return Inspection{found->second.definitions, bundle};
  BundleSource modules(options_.builtin_modules, *bundle);
  auto definitions = options_.host->inspect(bundle->entry, bundle->text, modules, options_.settings);
  if (!definitions.ok()) return definitions.error();
  inspected_[bundle->hash] = {*definitions, bundle};
  return Inspection{std::move(*definitions), bundle};
}

Result<StartRequest> Engine::child_request(const Run& asking, const std::string& workflow) {
  Result<Named> named = parse_name(workflow);
  if (!named.ok()) return named.error();
  StartRequest request;
  request.directory = asking.facts_.directory;
  request.cwd = asking.facts_.cwd;
  request.session = asking.row().session;
  request.workflow = named->name;
  request.file = asking.facts_.file;
  request.pinned = asking.bundle_;
  Result<Inspection> own = inspect(request);
  if (!own.ok()) return own.error();
  const Definition* definition = find_definition(own->definitions, named->name);
  Inspection beside;
  if (definition == nullptr) {
    request.pinned = nullptr;
    Result<std::string> text = read_module(request.directory, named->name);
    if (!text.ok())
      return Error(text.error().code, "no workflow '" + named->name + "': " + asking.facts_.file +
                                          " does not define it, and " + text.error().message);
    request.text = std::move(*text);
    request.file = named->name;
    std::replace(request.file.begin(), request.file.end(), '.', '/');
    request.file += ".lua";
    Result<Inspection> inspection = inspect(request);
    if (!inspection.ok()) return inspection.error();
    beside = std::move(*inspection);
    if (beside.definitions.size() == 1) request.workflow.clear();   // a file may call its workflow as it likes
    definition = beside.definitions.size() == 1 ? &beside.definitions.front()
                                                : find_definition(beside.definitions, named->name);
  }
  if (named->version != 0 && definition != nullptr && definition->version != named->version)
    return Error(code::k_not_found, "no workflow '" + workflow + "': " + request.file + " has version " +
                                        std::to_string(definition->version));
  return request;
}

void Engine::watch_end(const std::string& run, const std::string& by, bool attached,
                       std::function<bool(const flow::Ending&)> ended) {
  watchers_[run].push_back({by, attached, std::move(ended)});
  if (runs_.count(run) != 0 || sleeping_.count(run) != 0) return;
  auto later = [this, run](flow::Ending ending) {
    options_.loop->post([this, run, ending = std::move(ending)] { tell_watchers(run, ending); });
  };
  Result<std::optional<store::RunRow>> row = reader().run(run);
  flow::Ending ending;
  if (!row.ok() || !row->has_value()) {
    ending.status = store::Status::failed;
    ending.error = std::make_shared<const Error>(
        row.ok() ? Error(code::k_not_found, "no run '" + run + "' in this store") : row.error());
    return later(std::move(ending));
  }
  ending = ending_of(**row);
  if (store::is_final(ending.status) || ending.status == store::Status::diverged) return later(std::move(ending));
  resume(run, [later, ending](Result<store::RunRow> resumed) mutable {
    if (resumed.ok()) return;
    ending.error = std::make_shared<const Error>(resumed.error());
    later(std::move(ending));
  }, {});
}

void Engine::tell_watchers(const std::string& run, const flow::Ending& ending) {
  auto node = watchers_.extract(run);
  if (node.empty()) return;
  for (Watcher& watcher : node.mapped())
    if (!watcher.ended(ending)) wake(watcher.by);   // it looks for itself then
}

void Engine::cancel_run(const std::string& run, const Error& reason, const std::string& by) {
  if (sleeping_.count(run) != 0) wake(run);
  auto cancel = [this, run, reason, by] {
    if (auto live = runs_.find(run); live != runs_.end()) live->second->execution_->request_cancel(reason, by);
  };
  if (runs_.count(run) != 0) return cancel();
  resume(run, [cancel](Result<store::RunRow> resumed) { if (resumed.ok()) cancel(); }, {});
}

// A run that was ended by force has asked nobody to end.
void Engine::cancel_children_of(const std::string& run) {
  std::vector<std::string> children;
  for (auto& [child, watchers] : watchers_)
    for (const Watcher& watcher : watchers)
      if (watcher.by == run && watcher.attached) children.push_back(child);
  for (const std::string& child : children)
    cancel_run(child, Error(code::k_cancelled, "the run that began it has ended"), run);
}

void Engine::tell_held_up(const std::string& run, const std::string& lock, const std::string& holder) {
  if (runs_.count(holder) != 0 || sleeping_.count(holder) != 0) return;
  auto waiting = runs_.find(run);
  if (waiting != runs_.end())
    waiting->second->log("warn", "waits for lock '" + lock + "', which run " + holder + " holds; it does not run here: " +
                                     "perilune resume " + holder, {});
}

void Run::start_child(Request request, std::function<void(Result<void>)> done) {
  Result<StartRequest> found = engine_.child_request(*this, request.workflow);
  if (!found.ok()) return done(found.error());
  found->input = std::move(request.input);
  found->id = std::move(request.id);
  if (!request.detached) found->parent = row().id;
  engine_.start(std::move(*found), [done = std::move(done)](Result<store::RunRow> started) {
    if (started.ok()) done({});
    else done(started.error());
  }, {});
}

bool Run::child_exists(const std::string& run) { return engine_.run_stands(run); }

void Run::watch_child(const std::string& run, bool attached, Ended ended) {
  engine_.watch_end(run, row().id, attached, std::move(ended));
}

void Run::cancel_child(const std::string& run, const Error& reason) { engine_.cancel_run(run, reason, row().id); }

}  // namespace perilune::engine
