package ledger

// sqliteMigrations bring a file from one version to the next: sqliteMigrations[k]
// makes version k+1. They are never changed once released, only added to. Each has
// its like in postgresMigrations, where such databases are that old.
var sqliteMigrations = []string{`
-- What is known of customers: all of it in these tables, so that erasing deletes it.
CREATE TABLE person (id TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX person_ids ON person (person, id);
CREATE TABLE merge (into_id TEXT, from_id TEXT, happened INTEGER NOT NULL, PRIMARY KEY (into_id, from_id)) WITHOUT ROWID;
CREATE INDEX merge_from ON merge (from_id);
CREATE TABLE entry (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT, owner TEXT, what TEXT NOT NULL, name TEXT NOT NULL, happened INTEGER NOT NULL, expires INTEGER,
  device TEXT NOT NULL, handle BLOB, source TEXT NOT NULL, line BLOB NOT NULL, record BLOB);
CREATE INDEX entry_id ON entry (id) WHERE id IS NOT NULL;
CREATE INDEX entry_owner ON entry (owner) WHERE owner IS NOT NULL;
CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
CREATE INDEX entry_name ON entry (what, name);
CREATE TABLE holding (
  device TEXT, handle BLOB, id TEXT NOT NULL, owners TEXT NOT NULL, revision INTEGER NOT NULL, digest BLOB NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (device, handle)) WITHOUT ROWID;
CREATE INDEX holding_id ON holding (id);
CREATE TABLE holding_owner (owner TEXT, device TEXT, handle BLOB, PRIMARY KEY (owner, device, handle)) WITHOUT ROWID;

-- Keyed hashes and handles: they lead to nobody.
CREATE TABLE taken (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE erased (id BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE forget (device TEXT, handle BLOB, id TEXT NOT NULL, at INTEGER NOT NULL, sent INTEGER NOT NULL, PRIMARY KEY (device, handle)) WITHOUT ROWID;

-- The log of the devices. Numbers of 64 bits are kept as the same bits signed.
CREATE TABLE device (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mark (device TEXT, epoch INTEGER, doc TEXT NOT NULL, PRIMARY KEY (device, epoch)) WITHOUT ROWID;
CREATE TABLE record (
  arrival INTEGER PRIMARY KEY AUTOINCREMENT,
  device TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL,
  handle BLOB, bundle BLOB NOT NULL, digest BLOB, body BLOB);
CREATE UNIQUE INDEX record_seq ON record (device, epoch, seq);
CREATE INDEX record_handle ON record (device, handle) WHERE handle IS NOT NULL AND body IS NULL;
CREATE INDEX record_at ON record (kind, at);
CREATE TABLE decision (
  device TEXT NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, handle BLOB,
  PRIMARY KEY (device, epoch, n, seq)) WITHOUT ROWID;
CREATE TABLE outcome (
  device TEXT, epoch INTEGER, n INTEGER, said_by TEXT, outcome TEXT NOT NULL, happened INTEGER NOT NULL,
  PRIMARY KEY (device, epoch, n, said_by)) WITHOUT ROWID;

-- Policies.
CREATE TABLE bundle (sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, file BLOB NOT NULL, signature BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE symbol (bundle BLOB, device TEXT, first INTEGER, total INTEGER NOT NULL, names TEXT NOT NULL, PRIMARY KEY (bundle, device, first)) WITHOUT ROWID;
CREATE TABLE want (scope TEXT PRIMARY KEY, sha256 TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
`, `
-- What a contact was, so that the whole fleet counts it.
ALTER TABLE decision ADD COLUMN action TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN slot TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN intent TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN channel TEXT NOT NULL DEFAULT '';
CREATE INDEX decision_handle ON decision (device, handle) WHERE handle IS NOT NULL AND action <> '';

-- What devices hold, and what may still be said there.
ALTER TABLE holding ADD COLUMN items BLOB NOT NULL DEFAULT x'';
CREATE TABLE budget (
  device TEXT, handle BLOB, cap TEXT, about TEXT, units INTEGER NOT NULL, epoch INTEGER NOT NULL, through INTEGER NOT NULL,
  until INTEGER NOT NULL, free INTEGER NOT NULL, ended INTEGER NOT NULL, end_epoch INTEGER NOT NULL, end_through INTEGER NOT NULL,
  PRIMARY KEY (device, handle, cap, about)) WITHOUT ROWID;

-- Erasures, for their receipts.
ALTER TABLE forget ADD COLUMN erasure TEXT NOT NULL DEFAULT '';
ALTER TABLE forget ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
CREATE TABLE erasure (id TEXT PRIMARY KEY, done INTEGER NOT NULL, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX erasure_open ON erasure (id) WHERE done = 0;
`, `
-- When the device asked for what was lent to it: a word that it said before says nothing of it.
ALTER TABLE budget ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
`}
