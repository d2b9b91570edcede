/**
 * Prints the last call of a run that blocks the event loop: a loop that never awaits, or that awaits only settled
 * promises. No timer of the process fires then, so a separate thread watches.
 */
import { Worker } from 'node:worker_threads';

/** Bytes of the words. */
const LONGEST = 1_024;

/**
 * Cells: heartbeats, milliseconds of silence before the report, whether a run is active, and the length of the words.
 */
const cells = new Int32Array(new SharedArrayBuffer(16));
const words = new Uint8Array(new SharedArrayBuffer(LONGEST));
const encoder = new TextEncoder();
let isStarted = false;

const THREAD = `
  const { workerData: { cells, words } } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let said = -1; ; ) {
    const beat = Atomics.load(cells, 0);
    Atomics.wait(never, 0, 0, Atomics.load(cells, 1));
    if (Atomics.load(cells, 2) === 0 || Atomics.load(cells, 0) !== beat || said === beat) continue;
    said = beat;
    const last = Buffer.from(words.slice(0, Atomics.load(cells, 3))).toString();
    writeSync(2, 'A run has let nothing else happen in the process for ' + Atomics.load(cells, 1) + ' ms: it loops without a wait, ' +
      'or a step takes that long. ' + last + '\\n');
  }
`;

/** A heartbeat: a run is active that may be silent for this long. */
export const beat = (patienceMs: number): void => {
  if (!isStarted) {
    isStarted = true;
    new Worker(THREAD, { eval: true, execArgv: [], workerData: { cells, words } }).unref();
  }
  Atomics.store(cells, 1, patienceMs);
  Atomics.store(cells, 2, 1);
  Atomics.add(cells, 0, 1);
};

/** No run is active. */
export const rest = (): void => void Atomics.store(cells, 2, 0);

/** The report, if the run is silent from now on. */
export const remember = (text: string): void => {
  const { written } = encoder.encodeInto(text, words);
  Atomics.store(cells, 3, written);
};
