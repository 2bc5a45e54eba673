-- Version 3: values under keys, shared by the runs of the store.
-- SPDX-License-Identifier: MIT

create table entries (
  space text not null,
  key text not null,
  value text not null,
  expires_us integer not null,
  primary key (space, key)
) strict;

-- What has a time to expire: a few that have are removed with each write.
create index entries_by_expiry on entries (expires_us) where expires_us > 0;
