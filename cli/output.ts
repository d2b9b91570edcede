/** Standard output, above all the log, and an exit that waits for pending lines. */
import { type Logger, pino } from 'pino';
import { readableError } from '../runtime/index.ts';
import type { Streams } from './host.ts';
import { CannotGoOn } from './refusals.ts';

const output = pino.destination({ dest: 1, sync: false });

export const openLog = (level: string): Logger =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: readableError } }, output);

/** Time limit for writing the last lines of the log. */
const LAST_LINES_MS = 1_000;

/** The log is written asynchronously. An exit before that would lose the last lines. */
export const exit = (code: number): void => {
  output.once('close', () => process.exit(code));
  output.end();
  setTimeout(() => process.exit(code), LAST_LINES_MS); // a broken pipe never closes
};

/**
 * Resolves when it is written, or when its reader has closed the pipe: `fermata graph | head`. Rejects if it cannot be
 * written.
 */
export const write = ({ stdout }: Pick<Streams, 'stdout'>, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    stdout.on('error', () => {}); // the callback gets the same error
    stdout.write(text, (error) => (isLost(error) ? reject(cannotWrite(error)) : resolve()));
  });

const isLost = (error: NodeJS.ErrnoException | null | undefined): error is NodeJS.ErrnoException =>
  error !== null && error !== undefined && error.code !== 'EPIPE';

const cannotWrite = (error: NodeJS.ErrnoException): Error =>
  new CannotGoOn(`The output cannot be written: ${error.code ?? error.message}`);
