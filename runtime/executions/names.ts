/**
 * Names of a caller's choice that stand for an execution, as long as that is kept: idempotency keys, job ids, and
 * conversations, which stand for their last turn.
 *
 * A name belongs to its user: the same one means something else to another. Callers without identity have nothing but the
 * name itself, so it has to be one that is not met by chance, or guessed; or they have a token as guests, and then the name
 * is theirs by that.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Caller } from '../journal/caller.ts';
import type { Name } from '../journal/start-request.ts';
import type { Named } from '../store/named.ts';

/** Of a name that nobody guesses: characters, and different ones among them. */
const LEAST = { characters: 16, different: 6 };

/** The body as it came, where there is one: a schema may make of it what JSON cannot tell apart. */
type Asked = { readonly workflow: string; readonly input: unknown; readonly request: { readonly payload: unknown } };

export class Names {
  readonly #named = new Map<string, Named>();
  readonly #byExecution = new Map<string, readonly Name[]>();
  /** What a store knows of a name that is not in memory. */
  readonly #kept: (name: string) => Named | undefined;

  constructor(kept: (name: string) => Named | undefined = () => undefined) {
    this.#kept = kept;
  }

  /** Id of the execution that a name stands for. Throws `idempotency_key_reused` if it stands for something else. */
  find({ name, fingerprint }: Name): string | undefined {
    const named = this.#named.get(name) ?? this.#kept(name);
    if (named === undefined || named.fingerprint === fingerprint) return named?.executionId;
    throw new Failure('idempotency_key_reused', { detail: 'This idempotency key was sent before, with another body.' });
  }

  keep(executionId: string, names: readonly Name[]): void {
    if (names.length === 0) return;
    for (const { name, fingerprint } of names) this.#named.set(name, { executionId, fingerprint });
    this.#byExecution.set(executionId, names);
  }

  /** The execution is no longer kept, or not in memory. */
  drop(executionId: string): void {
    const names = this.#byExecution.get(executionId);
    if (names === undefined) return;
    this.#byExecution.delete(executionId);
    for (const { name } of names) {
      if (this.#named.get(name)?.executionId === executionId) this.#named.delete(name);
    }
  }
}

/** Throws `request_invalid` for a key that others could guess, of a caller who has nothing else. */
export const keyName = (by: Caller, key: string, { workflow, input, request }: Asked): Name => {
  const asked = canonical([workflow, request.payload ?? input]);
  const fingerprint = createHash('sha256').update(asked).digest('base64');
  return { name: nameOf('key', by, key, key) ?? refuse('an idempotency key', key), fingerprint };
};

/** Throws as `keyName`. */
export const jobName = (by: Caller, jobId: string): Name => ({
  name: nameOf('job', by, jobId, jobId) ?? refuse('a job id', jobId),
  fingerprint: '',
});

/** Undefined for one that others could guess, of a caller who has nothing else: it stands for nothing. */
export const conversationName = (by: Caller, workflow: string, conversation: string): Name | undefined => {
  const name = nameOf('conversation', by, JSON.stringify([workflow, conversation]), conversation);
  return name === undefined ? undefined : { name, fingerprint: '' };
};

/** JSON of which members come in one order, whatever the order in which they came. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  ) ?? '';

/** Whether a name stands for something, whoever brings it. */
export const isUnguessable = (name: string): boolean =>
  name.length >= LEAST.characters && new Set(name).size >= LEAST.different;

const refuse = (what: string, name: string): never => {
  const detail = `Without identity ${what} needs ${LEAST.characters} characters that nobody guesses, got ${name.length}; or send the Guest-Token of an earlier reply.`;
  throw new Failure('request_invalid', { detail });
};

/** `given` is what the caller chose. The token of a guest is not kept as it is. */
const nameOf = (
  kind: 'key' | 'job' | 'conversation',
  { userId, guest }: Caller,
  name: string,
  given: string,
): string | undefined => {
  if (userId !== undefined) return JSON.stringify([kind, userId, name]);
  if (isUnguessable(given)) return JSON.stringify([kind, null, name]);
  if (guest === undefined) return undefined;
  return JSON.stringify([kind, null, name, createHash('sha256').update(guest).digest('base64url')]);
};
