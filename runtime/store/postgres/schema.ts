/**
 * The tables, and their migrations. A release only adds; what it no longer needs, the release after it removes. So two neighbouring
 * releases run on one database: a release starts if it knows `least_form`.
 *
 * `executions` has a narrow row for each execution, in the order of their start, with the searchable columns. `seq` is the
 * number of its last fact, and `node` the process that executes it: the write compares both. It is null for what waits or has
 * settled, and for what a process has let go, which `works` all the same. `nodes` has the processes. `journal` has the facts. A row
 * has all facts of one commit, with their CRC-32, under the number of the first; the first one of a journal begins with the
 * start request. `claims` has names that one process has at a time. Times are epoch milliseconds, except those that the
 * database compares with its own clock.
 */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import { type Row, SCHEMA, type Session } from './database.ts';

/** Migrations are added and never changed. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE SEQUENCE starts;
  CREATE TABLE executions (
    n bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    seq int NOT NULL,
    node text,
    owner text COLLATE "C",
    workflow text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    started_at double precision NOT NULL,
    stand text COLLATE "C" NOT NULL,
    unfinished boolean NOT NULL,
    awaiting_since double precision,
    due_at double precision,
    settled_at double precision,
    truncated int NOT NULL,
    outline text
  ) WITH (fillfactor = 70);
  CREATE INDEX executions_owner ON executions (owner, n) WHERE owner IS NOT NULL;
  CREATE INDEX executions_unfinished ON executions (n) WHERE unfinished;
  CREATE INDEX executions_node ON executions (node) WHERE node IS NOT NULL;
  CREATE INDEX executions_awaiting ON executions (awaiting_since) WHERE awaiting_since IS NOT NULL;
  CREATE INDEX executions_owner_awaiting ON executions (owner, awaiting_since)
    WHERE awaiting_since IS NOT NULL AND owner IS NOT NULL;
  CREATE INDEX executions_due ON executions (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX executions_open ON executions (workflow, version) WHERE settled_at IS NULL;
  CREATE INDEX executions_started ON executions (started_at, n);
  CREATE TABLE journal (
    n bigint NOT NULL,
    seq int NOT NULL,
    facts text NOT NULL,
    sum bigint NOT NULL,
    PRIMARY KEY (n, seq)
  );
  CREATE TABLE names (
    name text COLLATE "C" PRIMARY KEY,
    n bigint NOT NULL,
    fingerprint text NOT NULL
  );
  CREATE INDEX names_n ON names (n);
  CREATE TABLE vault (
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (kind, key)
  );
  `,
  `
  CREATE TABLE nodes (
    id text PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    address text NOT NULL,
    serves jsonb
  );
  ALTER TABLE executions
    ADD COLUMN works boolean NOT NULL DEFAULT false,
    ADD COLUMN replays boolean NOT NULL DEFAULT true;
  UPDATE executions SET works = node IS NOT NULL;
  CREATE INDEX executions_let_go ON executions (n) WHERE works AND node IS NULL;
  `,
  `
  CREATE TABLE mail (
    key text COLLATE "C" PRIMARY KEY,
    n bigint NOT NULL,
    fact text NOT NULL,
    outcome boolean
  );
  CREATE INDEX mail_n ON mail (n);
  CREATE INDEX mail_open ON mail (n) WHERE outcome IS NULL;
  `,
  `
  CREATE TABLE claims (
    name text COLLATE "C" PRIMARY KEY,
    node text NOT NULL,
    until timestamptz NOT NULL
  );
  `,
  `
  CREATE TABLE settings (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
  );
  `,
];

/** The oldest form that this release leaves usable for others. With form 1, one process had the database for itself. */
const LEAST_FORM = 2;

const form = z.object({ form: z.int(), least_form: z.int() });

const refuseIfNewer = (least: number, name: string): void => {
  if (least <= MIGRATIONS.length) return;
  const detail = `The database ${name} was written by a newer version of Fermata (form ${least}, this one knows ${MIGRATIONS.length}).`;
  throw new Failure('options_invalid', { detail });
};

/** For tools that change no tables. Throws `options_invalid` for a database without executions, or of another version. */
export const refuseIfUnreadable = async (session: Session, name: string): Promise<void> => {
  let rows: Row[];
  try {
    rows = await session.query({ text: 'SELECT form, least_form FROM meta' });
  } catch (cause) {
    if ((cause as { code?: string }).code !== '42P01') throw cause;
    throw new Failure('options_invalid', { detail: `The database ${name} has no executions.`, cause });
  }
  const { form: current, least_form: least } = form.parse(rows[0]);
  refuseIfNewer(least, name);
  if (current >= MIGRATIONS.length) return;
  const detail = `The database ${name} was written by an older version of Fermata. Start a server of this version once, which adds what is missing.`;
  throw new Failure('options_invalid', { detail });
};

/** Processes that migrate at the same time do so one after the other. Throws `options_invalid` for tables of another release. */
export const migrate = async (session: Session, name: string): Promise<void> => {
  await session.exec('BEGIN');
  try {
    await session.exec(`SELECT pg_advisory_xact_lock(${MIGRATING})`);
    await session.exec(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
    await session.exec('CREATE TABLE IF NOT EXISTS meta (form int NOT NULL, least_form int NOT NULL)');
    const [row] = await session.query({ text: 'SELECT form, least_form FROM meta' });
    const { form: current, least_form: least } = row === undefined ? { form: 0, least_form: 0 } : form.parse(row);
    refuseIfNewer(least, name);
    for (const migration of MIGRATIONS.slice(current)) await session.exec(migration);
    if (row === undefined) await session.exec(`INSERT INTO meta VALUES (${MIGRATIONS.length}, ${LEAST_FORM})`);
    else if (current < MIGRATIONS.length)
      await session.exec(`UPDATE meta SET form = ${MIGRATIONS.length}, least_form = ${LEAST_FORM}`);
    await session.exec('COMMIT');
  } catch (error) {
    await session.exec('ROLLBACK').catch(() => {});
    throw error;
  }
};

/** Key of the advisory lock of migrations. */
const MIGRATING = 7_310_034_001;
