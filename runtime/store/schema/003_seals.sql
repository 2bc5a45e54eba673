-- Version 3: each record is sealed (runtime/journal/chain.hpp). Records that stand have no seal, and need none. Where a loop
-- has let go of records, the next one keeps the seal of the last that went.
-- SPDX-License-Identifier: MIT

alter table records add column seal integer;
alter table records add column before integer;
