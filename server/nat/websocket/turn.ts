/** A message of a user and the run it has started: what is shown on a socket, and shown again on the next one. */
import type { Caller, ExecutionView } from '../../../runtime/index.ts';
import type { Refers } from './protocol.ts';

/** A place in what a run says: the number of a fact, and how many of the messages that tell it. */
export type Place = { readonly seq: number; readonly part: number };

export const beginning: Place = { seq: 0, part: 0 };

/** Behind all that it has said. */
export const endOf = ({ context: { seq } }: ExecutionView): Place => ({ seq: seq + 1, part: 0 });

/** How far the network has taken a run. It is remembered for longer than the execution is in memory, so it does not hold that. */
export interface Progress {
  readonly executionId: string;
  seen: Place;
  /** Where the run is shown; undefined while nobody looks. */
  view: { stop(): void } | undefined;
}

export interface Turn {
  readonly execution: ExecutionView;
  /** Whose run it is. */
  readonly by: Caller;
  readonly refers: Refers;
  /** Whether the message asked for outputs one by one. */
  readonly streaming: boolean;
  readonly progress: Progress;
}

/** As clients name it who keep count themselves. */
export const writeCursor = ({ id }: ExecutionView, { seq, part }: Place): string => `${id}.${seq}.${part}`;

/** Who names a place in something else, or none, has seen nothing of this. */
export const readCursor = ({ id }: ExecutionView, cursor: string): Place => {
  const [, of, seq, part] = /^([\w-]+)\.(\d{1,15})\.(\d{1,6})$/.exec(cursor) ?? [];
  return of === id ? { seq: Number(seq), part: Number(part) } : beginning;
};
