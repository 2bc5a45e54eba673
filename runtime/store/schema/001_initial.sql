-- Version 1: runs, their records, and the code they are pinned to.
-- The version and the application's id are set by the program, in the transaction that runs this file.
-- SPDX-License-Identifier: MIT

-- What is known of a run without reading its journal. The number of its last record is not here: it is max(seq) of its
-- records, so that a record costs one insert and no update. The long columns stand last, where reading the others
-- passes them by.
create table runs (
  no integer primary key,
  id text not null unique,
  status text not null,
  workflow text not null,
  version integer not null,
  bundle text not null,
  session text not null,
  parent text not null,
  epoch integer not null,
  created_us integer not null,
  updated_us integer not null,
  wake_us integer not null,
  input text not null,
  output text not null,
  error text not null
) strict;

create index runs_by_creation on runs (created_us);
-- A start looks only at what is unfinished, whatever number of old runs lie beside it.
create index runs_unfinished on runs (created_us) where status not in ('completed', 'failed', 'cancelled');

-- The journals. Rows append in the order of their commit, and an index finds a run's: a key clustered by run would be
-- written all over the file when runs interleave.
create table records (
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

create unique index records_by_run on records (run, seq);

-- Code by SHA-256.
create table bundles (
  hash text not null primary key,
  content blob not null
) strict;
