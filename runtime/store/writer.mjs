/**
 * The writer thread: it gets a batch of writes, and replies when all of them are on the disk, or none. Plain
 * JavaScript, because a thread would have to compile TypeScript first.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import Database from 'libsql';

const { file, owner, commits, writes, pragmas, facts, count: countOne } = workerData;
const database = new Database(file);
for (const pragma of pragmas) database.pragma(pragma);
const prepared = writes.map((sql) => database.prepare(sql));
const begin = database.prepare('BEGIN IMMEDIATE');
const count = database.prepare(countOne);
const commit = database.prepare('COMMIT');
const counted = openSync(commits, constants.O_RDWR | constants.O_CREAT, 0o600);
let number = database.prepare('SELECT count FROM ledger').get([]).count;

/** Throws if another process owns the file. */
const beginOne = () => {
  begin.run();
  if (count.run([owner]).changes === 1) return;
  throw Object.assign(new Error('Another process has the directory now.'), { code: 'FERMATA_TAKEN' });
};

/** The separate count may be lower than that of the file, and is never higher: `ledger.ts` reads it. */
const commitOne = () => {
  commit.run();
  number += 1;
  const digits = String(number).padStart(16, '0');
  try {
    writeSync(counted, `${digits} ${crc32(digits)}`.padEnd(28).concat('\n'), 0);
  } catch {
    // The count helps to detect a loss; the data in the file does not depend on it.
  }
};

/** A batch is a flat list: the index of a statement in `writes`, the number of its parameters, the parameters. */
const run = (list, from, to) => {
  for (let index = from; index < to; ) {
    const statement = prepared[list[index]];
    const end = index + 2 + list[index + 1];
    const parameters = list.slice(index + 2, end);
    if (list[index] === facts) parameters.push(crc32(parameters[2]));
    statement.run(parameters);
    index = end;
  }
};

const write = (list) => {
  beginOne();
  run(list, 0, list.length);
  commitOne();
  return null;
};

/** Writes each part of a batch separately, in one transaction. Returns the parts that the file has refused. */
const writeApart = ({ list, ends }) => {
  const refused = [];
  beginOne();
  for (const [place, end] of ends.entries()) {
    database.exec('SAVEPOINT part');
    try {
      run(list, place === 0 ? 0 : ends[place - 1], end);
    } catch (error) {
      if (!database.inTransaction) throw error;
      database.exec('ROLLBACK TO part');
      refused.push([place, failed(error)]);
    }
    database.exec('RELEASE part');
  }
  commitOne();
  return { refused };
};

/** The error for the caller, as text, because a message between threads loses the code of an SQLite error. */
const failed = ({ message, code }) => ({ message: String(message), code });

parentPort.on('message', (batch) => {
  if (batch === 'close') {
    database.close();
    parentPort.close();
    return;
  }
  try {
    parentPort.postMessage(Array.isArray(batch) ? write(batch) : writeApart(batch));
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    parentPort.postMessage(failed(error));
  }
});

parentPort.postMessage(null);
