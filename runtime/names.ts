/**
 * Names of a caller's choice that stand for an execution, as long as that is kept: idempotency keys, job ids, and
 * conversations, which stand for their last turn.
 *
 * A name belongs to its user: the same one means something else to another. Callers without identity share theirs, and
 * there only an idempotency key tells them apart: it has to be long enough not to be met by chance, or guessed.
 */
import { createHash } from 'node:crypto';
import { Failure } from './errors.ts';
import type { Name } from './origin.ts';

const LEAST_ANONYMOUS_KEY = 16;

/** The body as it came, where there is one: a schema may make of it what JSON cannot tell apart. */
type Asked = { readonly workflow: string; readonly input: unknown; readonly request: { readonly payload: unknown } };

export type Named = { readonly executionId: string; readonly fingerprint: string };

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

/** Throws `request_invalid` for a key that is too short for a caller without identity. */
export const keyName = (user: string | undefined, key: string, { workflow, input, request }: Asked): Name => {
  if (user === undefined && key.length < LEAST_ANONYMOUS_KEY) {
    const detail = `Without identity an idempotency key needs ${LEAST_ANONYMOUS_KEY} characters, got ${key.length}.`;
    throw new Failure('request_invalid', { detail });
  }
  const asked = canonical([workflow, request.payload ?? input]);
  return { name: nameOf('key', user, key), fingerprint: createHash('sha256').update(asked).digest('base64') };
};

export const jobName = (user: string | undefined, jobId: string): Name => ({
  name: nameOf('job', user, jobId),
  fingerprint: '',
});

export const conversationName = (user: string | undefined, workflow: string, conversation: string): Name => ({
  name: nameOf('conversation', user, JSON.stringify([workflow, conversation])),
  fingerprint: '',
});

/** JSON of which members come in one order, whatever the order in which they came. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  ) ?? '';

const nameOf = (kind: 'key' | 'job' | 'conversation', user: string | undefined, name: string): string =>
  JSON.stringify([kind, user ?? null, name]);
