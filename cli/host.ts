import type { Variables } from './config/interpolate.ts';

/** The parts of the process that a command uses. */
export interface Host {
  readonly env: Variables;
  readonly streams: Streams;
}

/** `process` opens them on first use. */
export type Streams = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr'>;
