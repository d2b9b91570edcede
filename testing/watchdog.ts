/**
 * Says which call a run has made last, if the run lets nothing else happen in the process: in a loop that never awaits, or that
 * awaits only what is there at once. No timer of the process would fire then, so that a thread of its own looks.
 */
import { Worker } from 'node:worker_threads';

/** Bytes of the words. */
const LONGEST = 1_024;

/** Cells: beats, milliseconds without one after which it is said, whether a run is being played, the length of the words. */
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

/** The process is alive: a run is played that may be silent for so long. */
export const beat = (patienceMs: number): void => {
  if (!isStarted) {
    isStarted = true;
    new Worker(THREAD, { eval: true, execArgv: [], workerData: { cells, words } }).unref();
  }
  Atomics.store(cells, 1, patienceMs);
  Atomics.store(cells, 2, 1);
  Atomics.add(cells, 0, 1);
};

/** No run is played. */
export const rest = (): void => void Atomics.store(cells, 2, 0);

/** What to say of the run if it is silent from now on. */
export const remember = (text: string): void => {
  const { written } = encoder.encodeInto(text, words);
  Atomics.store(cells, 3, written);
};
