/**
 * The thread that writes: it gets a batch of writes, and says when all of them are on the disk, or that none is. A file of
 * plain JavaScript, since a thread would have to compile it first.
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

/** What is beside the file may lag behind, and is never ahead: `ledger.ts` reads it. */
const commitOne = () => {
  commit.run();
  number += 1;
  const digits = String(number).padStart(16, '0');
  try {
    writeSync(counted, `${digits} ${crc32(digits)}`.padEnd(28).concat('\n'), 0);
  } catch {
    // It helps to notice a loss; what is in the file does not depend on it.
  }
};

/** A batch is a flat list: the place of a write in `writes`, the number of its parameters, the parameters. */
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

/** Each part of a batch for itself, in one transaction: gives those that the file has refused. */
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

/** What the caller gets for an error: text, since an error of SQLite loses its code on the way. */
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
