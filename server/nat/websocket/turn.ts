/** A user's message and the run that it started. A socket shows it, and the next socket can show it again. */
import type { Caller, ExecutionView } from '../../../runtime/index.ts';
import type { Refers } from './server-messages.ts';

/** A position in the messages of a run: the number of a fact, and the number of its messages. */
export type Place = { readonly seq: number; readonly part: number };

export const beginning: Place = { seq: 0, part: 0 };

/** After all messages. */
export const endOf = ({ context: { seq } }: ExecutionView): Place => ({ seq: seq + 1, part: 0 });

/**
 * The position of the network in a run. It is remembered longer than the execution is in memory, so it does not refer
 * to it.
 */
export interface Progress {
  readonly executionId: string;
  seen: Place;
  /** The present viewer; undefined without one. */
  view: { stop(): void } | undefined;
}

export interface Turn {
  readonly execution: ExecutionView;
  /** The owner of the run. */
  readonly by: Caller;
  readonly refers: Refers;
  /** Whether the message asked for separate outputs. */
  readonly streaming: boolean;
  readonly progress: Progress;
}

/** The text form for clients with cursors. */
export const writeCursor = ({ id }: ExecutionView, { seq, part }: Place): string => `${id}.${seq}.${part}`;

/** A missing cursor, or one of another run, means the beginning. */
export const readCursor = ({ id }: ExecutionView, cursor: string): Place => {
  const [, of, seq, part] = /^([\w-]+)\.(\d{1,15})\.(\d{1,6})$/.exec(cursor) ?? [];
  return of === id ? { seq: Number(seq), part: Number(part) } : beginning;
};
