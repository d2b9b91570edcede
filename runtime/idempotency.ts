/**
 * Which execution a caller's idempotency key has started. Keys live as long as their execution is kept.
 *
 * A key belongs to its user. Callers without identity share one namespace, where only the key tells them apart: it has
 * to be long enough not to be met by chance, or guessed.
 */
import { createHash } from 'node:crypto';
import { Failure } from './errors.ts';

const LEAST_ANONYMOUS_KEY = 16;

/** The body as it came, where there is one: a schema may make of it what JSON cannot tell apart. */
type Asked = { readonly workflow: string; readonly input: unknown; readonly request: { readonly payload: unknown } };
type Entry = { readonly executionId: string; readonly fingerprint: string };

export class IdempotencyKeys {
  readonly #entries = new Map<string, Entry>();
  readonly #byExecution = new Map<string, string>();

  /**
   * Id of the execution that the key has started. Throws `idempotency_key_reused` if that was another request, and
   * `request_invalid` for a key that is too short for a caller without identity.
   */
  find(user: string | undefined, key: string, asked: Asked): string | undefined {
    if (user === undefined && key.length < LEAST_ANONYMOUS_KEY) {
      const detail = `Without identity an idempotency key needs ${LEAST_ANONYMOUS_KEY} characters, got ${key.length}.`;
      throw new Failure('request_invalid', { detail });
    }
    const entry = this.#entries.get(nameOf(user, key));
    if (entry === undefined || entry.fingerprint === fingerprint(asked)) return entry?.executionId;
    throw new Failure('idempotency_key_reused', { detail: 'This idempotency key was sent before, with another body.' });
  }

  keep(user: string | undefined, key: string, asked: Asked, executionId: string): void {
    const name = nameOf(user, key);
    this.#entries.set(name, { executionId, fingerprint: fingerprint(asked) });
    this.#byExecution.set(executionId, name);
  }

  drop(executionId: string): void {
    const name = this.#byExecution.get(executionId);
    if (name === undefined) return;
    this.#byExecution.delete(executionId);
    this.#entries.delete(name);
  }
}

const nameOf = (user: string | undefined, key: string): string => JSON.stringify([user ?? null, key]);

const fingerprint = ({ workflow, input, request: { payload } }: Asked): string =>
  createHash('sha256')
    .update(JSON.stringify([workflow, payload ?? input]))
    .digest('base64');
