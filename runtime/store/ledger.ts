/**
 * The state of the file: its owner process, and its number of commits.
 *
 * L1  Each commit is made by the owner in the file, and increments the count. A process that is no longer the owner
 *     writes nothing, whatever happened to the lock.
 * L2  The count of the last commit is also in a separate file, written after the commit has reached the disk. A file
 *     with a lower count has lost acknowledged commits: SQLite reads its log up to the first damaged frame, and does
 *     not report the rest.
 */
import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { crc32 } from 'node:zlib';
import { Failure } from '../errors.ts';
import type { Connection } from './connection.ts';

interface Owner {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** Boot id of the machine: process ids start again after a reboot. Null if unknown. */
  readonly boot: string | null;
  /** Distinguishes the process from an earlier one with the same id. Null if unknown. */
  readonly startedAt: string | null;
  /** Device and inode: a copy of the file has another owner. */
  readonly file: string;
}

/**
 * Returns the name of this process in the file. Throws `options_invalid` if it has an owner, or if commits are missing.
 */
export const takeOver = (database: Connection, file: string, counted: string, advice: string): string => {
  refuseIfOwned(database, file, advice);
  refuseIfMissing(database, file, counted);
  const owner = JSON.stringify({ token: randomUUID(), ...self(file) });
  database.prepare('UPDATE ledger SET owner = ?').run([owner]);
  return owner;
};

export const handBack = (database: Connection, owner: string): void => {
  database.prepare("UPDATE ledger SET owner = '' WHERE owner = ?").run([owner]);
};

/** Throws `options_invalid` while a process owns the file. */
export const refuseIfOwned = (database: Connection, file: string, advice: string): void => {
  const owner = readOwner(database);
  if (owner === undefined || !isAlive(owner, file)) return;
  const detail = `The file ${file} is in use by process ${owner.pid} on ${owner.host}. ${advice}`;
  throw new Failure('options_invalid', { detail });
};

const refuseIfMissing = (database: Connection, file: string, counted: string): void => {
  const { count } = database.prepare('SELECT count FROM ledger').get([]) as { count: number };
  const missing = readCount(counted) - count;
  if (missing <= 0) return;
  const log = `${file}-wal`;
  const copy = `${log}.damaged`;
  if (existsSync(log) && !existsSync(copy)) copyFileSync(log, copy);
  const detail =
    `${missing} acknowledged commits are missing in ${file}: its log is damaged` +
    `${existsSync(copy) ? `, and is kept as ${copy}` : ', or it is an older copy'}. ` +
    `Restore a copy that has them, or remove ${counted} to continue without them.`;
  throw new Failure('options_invalid', { detail });
};

/** 0 if the file is missing or cannot be read: the count is an additional check. */
const readCount = (counted: string): number => {
  try {
    const [digits = '', sum] = readFileSync(counted, 'utf8').split(/\s/);
    return sum === String(crc32(digits)) ? Number(digits) : 0;
  } catch {
    return 0;
  }
};

const readOwner = (database: Connection): Owner | undefined => {
  const row = database.prepare('SELECT CAST(owner AS BLOB) AS owner FROM ledger').get([]) as { owner: ArrayBuffer };
  try {
    return JSON.parse(Buffer.from(row.owner).toString()) as Owner;
  } catch {
    return undefined;
  }
};

const self = (file: string): Omit<Owner, 'token'> => ({
  pid: process.pid,
  host: hostname(),
  boot: bootId(),
  startedAt: startOf(process.pid),
  file: placeOf(file),
});

const isAlive = (owner: Owner, file: string): boolean =>
  owner.host === hostname() &&
  owner.boot !== null &&
  owner.boot === bootId() &&
  owner.file === placeOf(file) &&
  owner.startedAt !== null &&
  owner.startedAt === startOf(owner.pid);

const placeOf = (file: string): string => {
  const { dev, ino } = statSync(file, { bigint: true });
  return `${dev}:${ino}`;
};

const bootId = (): string | null => readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? null;

/** Null for a process that has ended. */
const startOf = (pid: number): string | null => {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may contain spaces
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
};

const readOrNull = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};
