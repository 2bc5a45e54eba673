-- Version 2: the order of all commits. A record's position is a column, for what SQLite counts by itself is counted anew by
-- `vacuum`, and given again when the last rows are deleted.
-- SPDX-License-Identifier: MIT

create table records_in_order (
  position integer primary key,
  run integer not null,
  seq integer not null,
  generation integer not null,
  kind integer not null,
  op integer not null,
  task text not null,
  name text not null,
  fingerprint integer not null,
  at_us integer not null,
  data text not null
) strict;

insert into records_in_order
  select rowid, run, seq, generation, kind, op, task, name, fingerprint, at_us, data from records order by rowid;

drop table records;
alter table records_in_order rename to records;
create unique index records_by_run on records (run, seq);

-- The greatest position whose record is gone with all that came after it: the next one is greater. Whoever deletes
-- records keeps it without knowing.
create table positions (gone integer not null) strict;
insert into positions values (0);

create trigger records_gone after delete on records
when old.position > (select coalesce(max(position), 0) from records)
begin
  update positions set gone = max(gone, old.position);
end;
