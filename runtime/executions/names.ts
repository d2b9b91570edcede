/**
 * Names that callers choose for an execution, valid until it is deleted: idempotency keys, job ids, and conversations,
 * which stand for their last turn.
 *
 * A name belongs to its user: the same name of another user is another name. A caller without identity needs a name
 * that cannot be guessed or chosen twice by chance, or a guest token; the name then belongs to that token.
 */
import { createHash } from 'node:crypto';
import { type Awaitable, andThen } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import type { Caller } from '../journal/caller.ts';
import type { Name, StartRequest } from '../journal/start-request.ts';
import type { Named } from '../store/named.ts';

/** The requirements for an unguessable name: characters, and different ones among them. */
const LEAST = { characters: 16, different: 6 };

/** The original body, if there is one: a schema may convert it to values that JSON cannot distinguish. */
type Asked = { readonly workflow: string; readonly input: unknown; readonly request: { readonly payload: unknown } };

export class Names {
  readonly #named = new Map<string, Named>();
  readonly #byExecution = new Map<string, readonly Name[]>();
  /** Finds a name in the store. */
  readonly #kept: (name: string) => Awaitable<Named | undefined>;
  /** Other processes give names too. */
  readonly #isShared: boolean;

  constructor(kept: (name: string) => Awaitable<Named | undefined> = () => undefined, isShared = false) {
    this.#kept = kept;
    this.#isShared = isShared;
  }

  /** Id of the execution of a name. Throws `idempotency_key_reused` if the name was used for another request. */
  find({ name, fingerprint }: Name): Awaitable<string | undefined> {
    const named = this.#named.get(name) ?? this.#kept(name);
    if (!(named instanceof Promise)) return idOf(named, fingerprint);
    return named.then((kept) => idOf(this.#named.get(name) ?? kept, fingerprint)); // it may have been given meanwhile
  }

  /** The same, of those in memory. */
  inMemory({ name, fingerprint }: Name): string | undefined {
    return idOf(this.#named.get(name), fingerprint);
  }

  /** The execution of a job id: the caller's own, else one for all callers that know the id. */
  job({ userId, guest }: Caller, jobId: string): Awaitable<string | undefined> {
    const own = userId === undefined ? undefined : this.find(jobName({ userId }, jobId));
    return andThen(own, (found) => {
      if (found !== undefined || (guest === undefined && !isUnguessable(jobId))) return found;
      return this.find(jobName({ userId: undefined, guest }, jobId));
    });
  }

  /** The execution that is the last turn of a conversation. */
  conversation(by: Caller, workflow: string, conversation: string): Awaitable<string | undefined> {
    const name = conversationName(by, workflow, conversation);
    if (name === undefined || !this.#isShared) return name && this.find(name);
    // Another process may have started a later turn than the last one of this process.
    return andThen(this.#kept(name.name), (kept) => kept?.executionId ?? this.inMemory(name));
  }

  keep(executionId: string, names: readonly Name[]): void {
    if (names.length === 0) return;
    for (const { name, fingerprint } of names) this.#named.set(name, { executionId, fingerprint });
    this.#byExecution.set(executionId, names);
  }

  /** The execution was deleted, or has left memory. */
  drop(executionId: string): void {
    const names = this.#byExecution.get(executionId);
    if (names === undefined) return;
    this.#byExecution.delete(executionId);
    for (const { name } of names) {
      if (this.#named.get(name)?.executionId === executionId) this.#named.delete(name);
    }
  }
}

const NO_NAMES: readonly Name[] = [];

/** The names that find an earlier start of the same request. Throws `request_invalid` for a guessable one. */
export const namesOf = (request: StartRequest): readonly Name[] => {
  const { by, idempotencyKey, jobId } = request;
  if (idempotencyKey === undefined && jobId === undefined) return NO_NAMES;
  return [
    ...(jobId === undefined ? [] : [jobName(by, jobId)]),
    ...(idempotencyKey === undefined ? [] : [keyName(by, idempotencyKey, request)]),
  ];
};

/** A conversation finds the execution, but does not prevent a start. */
export const withConversation = (
  names: readonly Name[],
  { by, workflow, conversation }: StartRequest,
): readonly Name[] =>
  conversation === undefined ? names : [...names, conversationName(by, workflow, conversation) ?? []].flat();

/** Throws `request_invalid` for a guessable key of a caller without identity and guest token. */
export const keyName = (by: Caller, key: string, { workflow, input, request }: Asked): Name => {
  const asked = canonical([workflow, request.payload ?? input]);
  const fingerprint = createHash('sha256').update(asked).digest('base64');
  return { name: nameOf('key', by, key, key) ?? refuse('an idempotency key', key), fingerprint, isUnique: true };
};

/** Throws like `keyName`. */
const jobName = (by: Caller, jobId: string): Name => ({
  name: nameOf('job', by, jobId, jobId) ?? refuse('a job id', jobId),
  fingerprint: '',
  isUnique: true,
});

/** Undefined for a guessable name of a caller without identity and guest token: it stands for nothing. */
export const conversationName = (by: Caller, workflow: string, conversation: string): Name | undefined => {
  const name = nameOf('conversation', by, JSON.stringify([workflow, conversation]), conversation);
  return name === undefined ? undefined : { name, fingerprint: '' };
};

/** JSON with sorted members. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  ) ?? '';

/** Whether all callers share names. */
export const isUnguessable = (name: string): boolean =>
  name.length >= LEAST.characters && new Set(name).size >= LEAST.different;

const refuse = (what: string, name: string): never => {
  const detail = `Without identity ${what} needs at least ${LEAST.characters} random characters, got ${name.length}; or send the Guest-Token of an earlier reply.`;
  throw new Failure('request_invalid', { detail });
};

/** `given` is the caller's text. The token of a guest is stored as a hash. */
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

const idOf = (named: Named | undefined, fingerprint: string): string | undefined => {
  if (named === undefined || named.fingerprint === fingerprint) return named?.executionId;
  throw new Failure('idempotency_key_reused', { detail: 'This idempotency key was sent before, with another body.' });
};
