/**
 * The thread that extends the lease of its process, with a connection of its own: a step that blocks the event loop does not lose
 * the lease. The thread stops extending it when the main thread has not replied for too long. Plain JavaScript, because a thread
 * would have to compile TypeScript first.
 */
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

const { urls, node, lengthMs, usedMs, stallMs, shared, extend } = workerData;
const EVERY_MS = Math.max(1, Math.floor(lengthMs / 3));
const RETRY_MS = Math.max(1, Math.floor(EVERY_MS / 10));
const monotonic = () => Number(process.hrtime.bigint() / 1_000_000n);

let client;
/** When the main thread has replied. */
let repliedAt = monotonic();
let end;

const tell = (what) => parentPort.postMessage(what);

const lose = (lost) => {
  lost.connection.stream.destroy();
  if (client === lost) client = undefined;
};

/** A connection to the first host that takes writes. */
const connect = async () => {
  let error;
  for (const connectionString of urls) {
    const candidate = new pg.Client({
      connectionString,
      connectionTimeoutMillis: Math.ceil(EVERY_MS / urls.length),
      query_timeout: EVERY_MS,
      keepAlive: true,
      application_name: 'fermata beats',
    });
    candidate.on('error', () => lose(candidate));
    try {
      await candidate.connect();
      const { rows } = await candidate.query('SELECT pg_is_in_recovery() AS standby');
      if (rows[0].standby) throw new Error('the host is a standby, and takes no writes');
      return candidate;
    } catch (cause) {
      error = cause;
      lose(candidate);
    }
  }
  throw error;
};

const endAfter = (ms) => {
  clearTimeout(end);
  end = setTimeout(tell, ms, 'late');
};

/** True if the database has replied. */
const beat = async () => {
  tell('asked');
  if (monotonic() - repliedAt > stallMs) return false;
  try {
    client ??= await connect();
    const [sentAt, wall] = [monotonic(), Date.now()];
    const { rows } = await client.query({ name: 'extend', text: extend, values: [node, lengthMs] });
    if (rows.length === 0) tell('unknown');
    else {
      Atomics.store(shared, 0, BigInt(sentAt + usedMs));
      Atomics.store(shared, 1, BigInt(wall + usedMs));
      Atomics.store(shared, 2, BigInt(Math.round(rows[0].now - wall - (monotonic() - sentAt) / 2)));
      endAfter(sentAt + usedMs - monotonic());
      if (rows[0].is_late) tell('late'); // by the clock of the database: others may have taken what the process executes
      tell('extended');
    }
    return true;
  } catch {
    if (client !== undefined) lose(client);
    return false;
  }
};

const work = async () => {
  const begunAt = monotonic();
  const hasReplied = await beat();
  setTimeout(work, hasReplied ? Math.max(0, begunAt + EVERY_MS - monotonic()) : RETRY_MS);
};

parentPort.on('message', (what) => {
  if (what === 'alive') repliedAt = monotonic();
  else process.exit(); // ends the thread only, also while it connects
});
endAfter(usedMs);
work();
