/**
 * The tables of the file. A version is the number of applied migrations. Migrations are added and never changed.
 *
 * `executions` has a narrow row for each execution, in the order of their start, with the searchable columns. `journal`
 * has their facts. A row has all facts of one commit, with their CRC-32; row 0 begins with the start request. `ledger`
 * has one row: the owner process, and the number of commits.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE executions (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    stand TEXT NOT NULL,
    unfinished INTEGER NOT NULL,
    awaiting_since INTEGER,
    due_at INTEGER,
    settled_at INTEGER,
    truncated INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX executions_owner ON executions (owner, n) WHERE owner IS NOT NULL;
  CREATE INDEX executions_unfinished ON executions (n) WHERE unfinished = 1;
  CREATE INDEX executions_awaiting ON executions (awaiting_since) WHERE awaiting_since IS NOT NULL;
  CREATE INDEX executions_due ON executions (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX executions_open ON executions (workflow, version) WHERE settled_at IS NULL;
  CREATE TABLE journal (
    n INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (n, seq)
  ) WITHOUT ROWID;
  CREATE TABLE names (
    name TEXT PRIMARY KEY,
    n INTEGER NOT NULL,
    fingerprint TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX names_n ON names (n);
  CREATE TABLE vault (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) WITHOUT ROWID;
  `,
  // In the first version, row 0 had only the start request.
  `
  UPDATE journal SET facts = '[' || facts || ']' WHERE seq = 0 AND substr(facts, 1, 1) = '{';
  ALTER TABLE journal ADD COLUMN sum INTEGER;
  CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    count INTEGER NOT NULL,
    owner TEXT NOT NULL
  );
  INSERT INTO ledger (one, count, owner) VALUES (1, 0, '');
  `,
  // What a list shows besides the other columns. NULL: a list reads the journal.
  `
  ALTER TABLE executions ADD COLUMN outline TEXT;
  `,
  // The inbox of an owner with many executions.
  `
  CREATE INDEX executions_inbox ON executions (owner, awaiting_since)
    WHERE owner IS NOT NULL AND awaiting_since IS NOT NULL;
  `,
];

/** All write statements, each prepared once. Batches refer to them by index. The writer thread adds `sum`. */
export const WRITES = {
  begin: `INSERT INTO executions (n, id, owner, workflow, version, started_at, stand, unfinished, awaiting_since, due_at,
    settled_at, outline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  stand: `UPDATE executions SET stand = ?, unfinished = ?, awaiting_since = ?, due_at = ?, settled_at = ?, outline = ?
    WHERE n = ?`,
  facts: 'INSERT INTO journal (n, seq, facts, sum) VALUES (?, ?, ?, ?)',
  clear: 'DELETE FROM journal WHERE n = ?',
  truncated: 'UPDATE executions SET truncated = ? WHERE n = ?',
  name: 'INSERT OR REPLACE INTO names (name, n, fingerprint) VALUES (?, ?, ?)',
  forgetNames: 'DELETE FROM names WHERE n = (SELECT n FROM executions WHERE id = ?)',
  forgetFacts: 'DELETE FROM journal WHERE n = (SELECT n FROM executions WHERE id = ?)',
  forget: 'DELETE FROM executions WHERE id = ?',
  put: 'INSERT OR REPLACE INTO vault (kind, key, value) VALUES (?, ?, ?)',
  remove: 'DELETE FROM vault WHERE kind = ? AND key = ?',
} as const;

export type Write = keyof typeof WRITES;
export type Parameter = string | number | null;

/** The first write of each commit. It changes nothing if another process owns the file. */
export const COUNT = 'UPDATE ledger SET count = count + 1 WHERE owner = ?';
