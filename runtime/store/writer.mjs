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
const write = (batch) => {
  begin.run();
  for (let index = 0; index < batch.length; ) {
    const statement = prepared[batch[index]];
    const end = index + 2 + batch[index + 1];
    statement.run(batch.slice(index + 2, end));
    index = end;
  }
  commit.run();
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
    write(batch);
    parentPort.postMessage(null);
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    parentPort.postMessage(failed(error));
  }
});

parentPort.postMessage(null);
