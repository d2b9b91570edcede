/**
 * The thread that writes: it gets a batch of writes, and says when all of them are on the disk, or that none is. A file of
 * plain JavaScript, since a thread would have to compile it first.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'libsql';

const { file, writes, pragmas } = workerData;
const database = new Database(file);
for (const pragma of pragmas) database.pragma(pragma);
const prepared = writes.map((sql) => database.prepare(sql));
const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');

/** A batch is a flat list: the place of a write in `writes`, the number of its parameters, the parameters. */
const run = (list, from, to) => {
  for (let index = from; index < to; ) {
    const statement = prepared[list[index]];
    const end = index + 2 + list[index + 1];
    statement.run(list.slice(index + 2, end));
    index = end;
  }
};

const write = (list) => {
  begin.run();
  run(list, 0, list.length);
  commit.run();
  return null;
};

/** Each part of a batch for itself, in one transaction: gives those that the file has refused. */
const writeApart = ({ list, ends }) => {
  const refused = [];
  begin.run();
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
  commit.run();
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
