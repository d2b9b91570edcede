/**
 * The data directory: created if missing, claimed for one process, and its file migrated to the format of this version.
 * Each error is reported by name, with advice.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'libsql';
import { Failure } from '../errors.ts';
import type { Connection } from './connection.ts';
import { codeOf, explained } from './explain.ts';
import { handBack, takeOver } from './ledger.ts';
import { MIGRATIONS, WRITES } from './schema.ts';

/** File name of a store. */
export const FILE = 'fermata.db';
const LOCK = 'fermata.lock';
const OWNER = 'owner.json';
/** Number of commits in the file. */
const COMMITS = 'fermata.commits';

/**
 * For every connection. `busy_timeout` stands first: the others read the file, and fail at once while another process
 * has it locked. `FULL`: committed data survives a power loss.
 */
export const PRAGMAS = [
  'busy_timeout = 5000',
  'journal_mode = WAL',
  'synchronous = FULL',
  'cache_size = -16000',
  'wal_autocheckpoint = 2000',
];

export interface Directory {
  readonly file: string;
  /** The name of this process in the file. */
  readonly owner: string;
  /** The file with the count of commits. */
  readonly commits: string;
  /** For reading only. */
  readonly reader: Connection;
  /** Another process may have the directory. */
  release(): void;
}

/** Throws `options_invalid` for an invalid directory. */
export const openDirectory = (given: string): Directory => {
  const path = resolve(given);
  attempt(`The directory ${path} cannot be created`, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  const lock = claim(path);
  try {
    const [file, commits] = [join(path, FILE), join(path, COMMITS)];
    const reader = attempt(`The file ${file} cannot be opened`, () => openFile(file));
    try {
      const owner = attempt(`The file ${file} cannot be written`, () => takeOver(reader, file, commits, ADVICE));
      reader.pragma('query_only = ON');
      return { file, owner, commits, reader, release: () => release(reader, owner, lock) };
    } catch (error) {
      reader.close();
      throw error;
    }
  } catch (error) {
    lock.close();
    throw error;
  }
};

const release = (reader: Connection, owner: string, lock: Connection): void => {
  try {
    reader.pragma('query_only = OFF');
    handBack(reader, owner);
  } catch {
    // The disk may be full or gone. The process that the file names has ended anyway.
  }
  reader.close();
  lock.close();
};

/**
 * Opens the file of a directory that another process may have open. It reads committed data; a writer waits for its
 * turn. Throws `options_invalid` if there is no file, or if it has another format than this version.
 */
export const openBeside = (given: string): Connection => {
  const path = resolve(given);
  const file = join(path, FILE);
  if (!existsSync(file)) throw new Failure('options_invalid', { detail: `The directory ${path} has no executions.` });
  return attempt(`The file ${file} cannot be opened`, () => {
    const database = new Database(file);
    try {
      for (const pragma of PRAGMAS) database.pragma(pragma);
      const form = formOf(database, file);
      if (form === MIGRATIONS.length) return database;
      const detail = `${file} was written by an older version of Fermata. Start a server of this version once: it migrates the file.`;
      throw new Failure('options_invalid', { detail });
    } catch (error) {
      database.close();
      throw error;
    }
  });
};

/**
 * Locks the directory against other processes until it is closed. The operating system releases the lock at the end of
 * the process. Throws `options_invalid`, with advice, if another process has the lock.
 */
export const claim = (path: string, advice = ADVICE): Connection => {
  const lock = attempt(`The directory ${path} cannot be written`, () => openOwn(join(path, LOCK)));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(join(path, OWNER), `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`, { mode: 0o600 });
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error)) throw new Failure('options_invalid', { detail: inUse(path, advice) });
    throw unusable(`The directory ${path} cannot be written`, error);
  }
};

const ADVICE = 'Stop that process, or give this one another directory with --data.';

const inUse = (path: string, advice: string): string => {
  try {
    const { pid, host } = JSON.parse(readFileSync(join(path, OWNER), 'utf8')) as { pid: number; host: string };
    return `The directory ${path} is in use by process ${pid} on ${host}. ${advice}`;
  } catch {
    return `The directory ${path} is in use by another process. ${advice}`;
  }
};

/** Only the owner may read it. SQLite gives the same mode to its other files. */
const openOwn = (file: string): Connection => {
  closeSync(openSync(file, 'a', 0o600));
  return new Database(file);
};

const openFile = (file: string): Connection => {
  const database = openOwn(file);
  try {
    for (const pragma of PRAGMAS) database.pragma(pragma);
    migrate(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

/** Number of applied migrations. */
const formOf = (database: Connection, file: string): number => {
  const version = (database.pragma('user_version') as { user_version: number }[])[0]!.user_version;
  if (version <= MIGRATIONS.length) return version;
  const detail = `${file} was written by a newer version of Fermata (form ${version}, this one knows ${MIGRATIONS.length}).`;
  throw new Failure('options_invalid', { detail });
};

const migrate = (database: Connection, file: string): void => {
  refuseIfForeign(database, file);
  for (let next = formOf(database, file); next < MIGRATIONS.length; next += 1) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
};

/** The format version is not sufficient: another program may use the same number. */
const refuseIfForeign = (database: Connection, file: string): void => {
  const isNew = formOf(database, file) === 0;
  const count = "SELECT count(*) AS count FROM sqlite_master WHERE type = 'table'";
  const { count: tables } = database.prepare(count).get([]) as { count: number };
  if (isNew ? tables === 0 : COLUMNS.every((sql) => isPrepared(database, sql))) return;
  const detail = `${file} was not written by a known version of Fermata. Move it away, or give another directory.`;
  throw new Failure('options_invalid', { detail });
};

/** Tables of every format. */
const COLUMNS = [
  'SELECT n, id, owner, workflow, version, started_at, stand, unfinished, awaiting_since, due_at FROM executions',
  WRITES.truncated,
  'SELECT n, seq, facts FROM journal',
  WRITES.name,
  WRITES.put,
];

const isPrepared = (database: Connection, sql: string): boolean => {
  try {
    database.prepare(sql);
    return true;
  } catch {
    return false;
  }
};

const attempt = <T>(what: string, act: () => T): T => {
  try {
    return act();
  } catch (error) {
    throw error instanceof Failure ? error : unusable(what, error);
  }
};

const unusable = (what: string, cause: unknown): Failure =>
  new Failure('options_invalid', { detail: `${what}: ${explained(cause)}`, cause });

const isBusy = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_BUSY');
