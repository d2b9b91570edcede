/** The log on standard output, and the end of a process that may have lines of it to write. */
import { type Logger, pino } from 'pino';

const output = pino.destination({ dest: 1, sync: false });

export const openLog = (level: string): Logger =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output);

/** How long the last lines of the log may take to be written. */
const LAST_LINES_MS = 1_000;

/** The log is written when the output takes it; an exit before that would lose the last lines. */
export const exit = (code: number): void => {
  output.once('close', () => process.exit(code));
  output.end();
  setTimeout(() => process.exit(code), LAST_LINES_MS); // a broken pipe never closes
};
