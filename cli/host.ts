import type { Variables } from './config/interpolate.ts';

/** What a command is given of the process it runs in. */
export interface Host {
  readonly env: Variables;
  readonly streams: Streams;
}

/** `process` has them; they are opened when somebody looks at them. */
export type Streams = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr'>;
