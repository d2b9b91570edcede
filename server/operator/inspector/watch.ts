/** The filter of a watcher, from the query of the inspector. */
import { Failure, type Inspected, type InspectedKind } from '../../../runtime/index.ts';
import { readOne } from '../../http/preferences.ts';

export interface Watch {
  /** Empty: all kinds. */
  readonly kinds: ReadonlySet<InspectedKind>;
  /** Only this execution. */
  readonly execution: string | undefined;
  /** Only actors of this user. */
  readonly user: string | undefined;
  /** Whether inputs, results, prompts, answers and similar payloads are shown. */
  readonly payloads: boolean;
}

export const KINDS = ['manager', 'builder', 'execution'] as const satisfies readonly InspectedKind[];

const NAMES = ['kind', 'execution', 'user', 'payloads'];

/** Throws `request_invalid` for an unknown parameter: a misspelt filter would show everything. */
export const readWatch = (query: string): Watch => {
  const given = new URLSearchParams(query);
  const unknown = [...given.keys()].find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw invalid(`expected ${NAMES.join(', ')}, got ${quoted(unknown)}`);
  return {
    kinds: new Set(given.getAll('kind').map(readKind)),
    execution: readOne(given, 'execution') || undefined,
    user: readOne(given, 'user') || undefined,
    payloads: readFlag(readOne(given, 'payloads')),
  };
};

export const isWatched = ({ kinds, execution, user }: Watch, actor: Inspected): boolean => {
  if (kinds.size > 0 && !kinds.has(actor.kind)) return false;
  if (execution !== undefined && actor.sessionId !== execution) return false;
  return user === undefined || actor.user === user;
};

/** Whether parents are shown with their children; otherwise each actor is separate. */
export const hasParents = ({ kinds, execution, user }: Watch): boolean =>
  execution === undefined && user === undefined && (kinds.size === 0 || kinds.has('manager'));

const readKind = (given: string): InspectedKind => {
  const kind = KINDS.find((known) => known === given);
  if (kind === undefined) throw invalid(`kind: expected ${KINDS.join(', ')}, got ${quoted(given)}`);
  return kind;
};

const readFlag = (given: string | undefined): boolean => {
  if (given === '1') return true;
  if (given === undefined || given === '0' || given === '') return false;
  throw invalid(`payloads: expected 0 or 1, got ${quoted(given)}`);
};

const quoted = (text: string): string => JSON.stringify(text.slice(0, 40));

const invalid = (detail: string): Failure => new Failure('request_invalid', { detail: `${detail}.` });
