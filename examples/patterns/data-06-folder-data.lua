-- Data pattern 6: Folder Data. What several cases share, those of one folder and no others.
-- construct: `session`, for the runs of one `--session NAME`
-- session: desk
-- trace: ana 2
if input.second then   -- another run of the same session
  session.visits = session.visits + 1
  return session.user
end

session.user = "ana"
session.visits = 1
local user = call(this.workflow, { second = true })
return user .. " " .. session.visits
