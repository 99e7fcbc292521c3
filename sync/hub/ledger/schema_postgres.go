package ledger

// postgresMigrations bring a database from one version to the next, as
// sqliteMigrations do a file. They are never changed once released, only added to.
// Texts are compared by their bytes. Of columns that hold what is said of customers
// no statistics are kept: those are copies of values in a table of the system's own.
var postgresMigrations = []string{`
-- What is known of customers: all of it in these tables, so that erasing deletes it.
CREATE TABLE person (id TEXT COLLATE "C" PRIMARY KEY, person TEXT COLLATE "C" NOT NULL);
CREATE INDEX person_ids ON person (person, id);
ALTER TABLE person ALTER id SET STATISTICS 0, ALTER person SET STATISTICS 0;
CREATE TABLE merge (into_id TEXT COLLATE "C", from_id TEXT COLLATE "C", happened BIGINT NOT NULL, PRIMARY KEY (into_id, from_id));
CREATE INDEX merge_from ON merge (from_id);
ALTER TABLE merge ALTER into_id SET STATISTICS 0, ALTER from_id SET STATISTICS 0;
CREATE TABLE entry (
  row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C", owner TEXT COLLATE "C", what TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
  happened BIGINT NOT NULL, expires BIGINT, device TEXT COLLATE "C" NOT NULL, handle BYTEA, source TEXT COLLATE "C" NOT NULL,
  line BYTEA NOT NULL, record BYTEA);
CREATE INDEX entry_id ON entry (id) WHERE id IS NOT NULL;
CREATE INDEX entry_owner ON entry (owner) WHERE owner IS NOT NULL;
CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
CREATE INDEX entry_name ON entry (what, name);
ALTER TABLE entry ALTER id SET STATISTICS 0, ALTER owner SET STATISTICS 0, ALTER source SET STATISTICS 0, ALTER line SET STATISTICS 0,
  ALTER record SET STATISTICS 0;
CREATE TABLE holding (
  device TEXT COLLATE "C", handle BYTEA, id TEXT COLLATE "C" NOT NULL, owners TEXT COLLATE "C" NOT NULL, revision BIGINT NOT NULL,
  digest BYTEA NOT NULL, until BIGINT NOT NULL, items BYTEA NOT NULL, PRIMARY KEY (device, handle));
CREATE INDEX holding_id ON holding (id);
ALTER TABLE holding ALTER id SET STATISTICS 0, ALTER owners SET STATISTICS 0;
CREATE TABLE holding_owner (owner TEXT COLLATE "C", device TEXT COLLATE "C", handle BYTEA, PRIMARY KEY (owner, device, handle));
ALTER TABLE holding_owner ALTER owner SET STATISTICS 0;

-- Keyed hashes and handles: they lead to nobody.
CREATE TABLE taken (key BYTEA PRIMARY KEY);
CREATE TABLE erased (id BYTEA PRIMARY KEY, at BIGINT NOT NULL);
CREATE TABLE forget (
  device TEXT COLLATE "C", handle BYTEA, id TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, sent BIGINT NOT NULL,
  erasure TEXT COLLATE "C" NOT NULL, lease BIGINT NOT NULL, PRIMARY KEY (device, handle));
CREATE TABLE erasure (id TEXT COLLATE "C" PRIMARY KEY, done BIGINT NOT NULL, doc TEXT COLLATE "C" NOT NULL);
CREATE INDEX erasure_open ON erasure (id) WHERE done = 0;

-- The log of the devices. Numbers of 64 bits are kept as the same bits signed.
CREATE TABLE device (id TEXT COLLATE "C" PRIMARY KEY, doc TEXT COLLATE "C" NOT NULL);
CREATE TABLE mark (device TEXT COLLATE "C", epoch BIGINT, doc TEXT COLLATE "C" NOT NULL, PRIMARY KEY (device, epoch));
CREATE TABLE record (
  arrival BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device TEXT COLLATE "C" NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, kind BIGINT NOT NULL, at BIGINT NOT NULL,
  handle BYTEA, bundle BYTEA NOT NULL, digest BYTEA, body BYTEA);
CREATE UNIQUE INDEX record_seq ON record (device, epoch, seq);
CREATE INDEX record_handle ON record (device, handle) WHERE handle IS NOT NULL AND body IS NULL;
CREATE INDEX record_at ON record (kind, at);
CREATE TABLE decision (
  device TEXT COLLATE "C", epoch BIGINT, n BIGINT, seq BIGINT, at BIGINT NOT NULL, handle BYTEA,
  action TEXT COLLATE "C" NOT NULL, slot TEXT COLLATE "C" NOT NULL, intent TEXT COLLATE "C" NOT NULL, team TEXT COLLATE "C" NOT NULL,
  about TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, PRIMARY KEY (device, epoch, n, seq));
CREATE INDEX decision_handle ON decision (device, handle) WHERE handle IS NOT NULL AND action <> '';
CREATE TABLE outcome (
  device TEXT COLLATE "C", epoch BIGINT, n BIGINT, said_by TEXT COLLATE "C", outcome TEXT COLLATE "C" NOT NULL, happened BIGINT NOT NULL,
  PRIMARY KEY (device, epoch, n, said_by));
CREATE TABLE budget (
  device TEXT COLLATE "C", handle BYTEA, cap TEXT COLLATE "C", about TEXT COLLATE "C", units BIGINT NOT NULL, epoch BIGINT NOT NULL,
  through BIGINT NOT NULL, until BIGINT NOT NULL, free BIGINT NOT NULL, ended BIGINT NOT NULL, end_epoch BIGINT NOT NULL,
  end_through BIGINT NOT NULL, PRIMARY KEY (device, handle, cap, about));

-- Policies.
CREATE TABLE bundle (
  sha256 TEXT COLLATE "C" PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, at BIGINT NOT NULL, file BYTEA NOT NULL,
  signature BYTEA NOT NULL);
CREATE TABLE symbol (
  bundle BYTEA, device TEXT COLLATE "C", first BIGINT, total BIGINT NOT NULL, names TEXT COLLATE "C" NOT NULL, PRIMARY KEY (bundle, device, first));
CREATE TABLE want (scope TEXT COLLATE "C" PRIMARY KEY, sha256 TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL);
CREATE TABLE revision (one BIGINT PRIMARY KEY CHECK (one = 1), revision BIGINT NOT NULL);
`, `
-- When the device asked for what was lent to it: a word that it said before says nothing of it.
ALTER TABLE budget ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
`}

// personalTables hold what is known of customers.
var personalTables = []string{"entry", "person", "merge", "holding", "holding_owner"}
