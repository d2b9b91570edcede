/**
 * The directory in which executions are kept: made if it is not there, claimed for one process, and its file brought to
 * the form that this version has. Everything that can be wrong with it is said by name, with what to do.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'libsql';
import { Failure } from '../errors.ts';
import type { Connection } from './connection.ts';
import { handBack, takeOver } from './ledger.ts';
import { MIGRATIONS, WRITES } from './schema.ts';

/** What a file of the store is called. */
export const FILE = 'fermata.db';
const LOCK = 'fermata.lock';
const OWNER = 'owner.json';
/** How many commits the file has seen. */
const COMMITS = 'fermata.commits';

/** Of every connection. `FULL`: what was committed survives a loss of power. */
export const PRAGMAS = [
  'journal_mode = WAL',
  'synchronous = FULL',
  'busy_timeout = 5000',
  'cache_size = -16000',
  'wal_autocheckpoint = 2000',
];

export interface Directory {
  readonly file: string;
  /** What the file calls this process. */
  readonly owner: string;
  /** The file that has the count of commits. */
  readonly commits: string;
  /** For reading only. */
  readonly reader: Connection;
  /** Another process may have the directory. */
  release(): void;
}

/** Throws `options_invalid` for a directory that cannot be used. */
export const openDirectory = (given: string): Directory => {
  const path = resolve(given);
  attempt(`The directory ${path} cannot be made`, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
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
    // A disk that is full, or gone: the process that is named ends anyway.
  }
  reader.close();
  lock.close();
};

/**
 * The file of a directory that another process may have at the same time. What is read is what was committed; who writes
 * waits for its turn. Throws `options_invalid` if there is none, or it has another form than that of this version.
 */
export const openBeside = (given: string): Connection => {
  const path = resolve(given);
  const file = join(path, FILE);
  if (!existsSync(file)) throw new Failure('options_invalid', { detail: `No executions are kept in ${path}.` });
  return attempt(`The file ${file} cannot be opened`, () => {
    const database = new Database(file);
    try {
      for (const pragma of PRAGMAS) database.pragma(pragma);
      const form = formOf(database, file);
      if (form === MIGRATIONS.length) return database;
      const detail = `${file} was written by an older version of Fermata. Serve it once with this one, which brings it up.`;
      throw new Failure('options_invalid', { detail });
    } catch (error) {
      database.close();
      throw error;
    }
  });
};

/**
 * Keeps every other process from having the directory until it is closed. The lock is the operating system's: it is gone
 * with the process, however that ends. Throws `options_invalid`, with advice if another process has it.
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

const ADVICE = 'Stop that one, or give this one a directory of its own with --data.';

const inUse = (path: string, advice: string): string => {
  try {
    const { pid, host } = JSON.parse(readFileSync(join(path, OWNER), 'utf8')) as { pid: number; host: string };
    return `The directory ${path} is in use by process ${pid} on ${host}. ${advice}`;
  } catch {
    return `The directory ${path} is in use by another process. ${advice}`;
  }
};

/** Nobody else's to read; what SQLite puts beside it gets the same mode. */
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

/** How many migrations it has seen. */
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

/** The number of its form is not enough: another program may have given the file the same one. */
const refuseIfForeign = (database: Connection, file: string): void => {
  const isNew = formOf(database, file) === 0;
  const count = "SELECT count(*) AS count FROM sqlite_master WHERE type = 'table'";
  const { count: tables } = database.prepare(count).get([]) as { count: number };
  if (isNew ? tables === 0 : COLUMNS.every((sql) => isPrepared(database, sql))) return;
  const detail = `${file} was not written by Fermata, or by none that this version knows. Move it away, or give another directory.`;
  throw new Failure('options_invalid', { detail });
};

/** What every form has. */
const COLUMNS = [WRITES.begin, WRITES.truncated, 'SELECT n, seq, facts FROM journal', WRITES.name, WRITES.put];

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

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

/** What an operator can do about it, where we know. */
export const explained = (error: unknown): string => {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return `${message}. The file is damaged: restore it, or move it away.`;
  if (/^(SQLITE_READONLY|SQLITE_CANTOPEN|EACCES|EROFS)/.test(code))
    return `${message}. This process needs to write there.`;
  if (/^(SQLITE_FULL|ENOSPC)/.test(code)) return `${message}. The disk is full.`;
  return message;
};
