/** Callers of the workflow of mistakes: they start, answer, cancel, follow and leave, as a seed says. Each request has a time-out. */
import { setTimeout as pass } from 'node:timers/promises';
import { Random } from './random.ts';
import { OPERATOR_KEY, type ServedProcess } from './served.ts';

export interface Started {
  readonly id: string;
  readonly user: string;
  readonly seed: number;
}

export interface Standing {
  readonly status: string;
  readonly response_url?: string;
  readonly prompt?: { readonly input_type: string };
  readonly blocked?: { readonly expected: string; readonly came: string };
}

type Reply = { readonly status: number; readonly body: string };

/** A server that lives answers within it, however busy it is. */
const TIMEOUT_MS = 20_000;
const USERS = 30;
const OPEN = 25;
/** The longest pause between two things that a client does. */
const PACE_MS = 200;

const PATHS = ['/v1/workflow', '/v1/workflow', '/v1/workflow/stream', '/generate', '/generate/stream'] as const;

export class Client {
  readonly #random: Random;
  readonly #served: () => ServedProcess | undefined;
  readonly #wrong: (problem: string) => void;
  /** By path and status. */
  readonly replies: Map<string, number>;
  readonly open: Started[] = [];
  started = 0;
  /** Replies that did not come in time. */
  missing = 0;

  constructor(
    seed: number,
    served: () => ServedProcess | undefined,
    wrong: (problem: string) => void,
    replies: Map<string, number>,
  ) {
    this.#random = new Random(seed);
    this.#served = served;
    this.#wrong = wrong;
    this.replies = replies;
  }

  /** Does one thing, after a while. */
  async act(): Promise<void> {
    const random = this.#random;
    await pass(random.integer(PACE_MS));
    if (this.#served() === undefined || this.#served()?.isStopping) return;
    if (this.open.length === 0 || random.number() < 0.3) return this.#start();
    const one = random.pick(this.open);
    const choice = random.number();
    if (this.open.length > OPEN || choice < 0.1) await this.cancel(one);
    else if (choice < 0.2) await this.#follow(one);
    else await this.#goOn(one);
  }

  async #start(): Promise<void> {
    const seed = this.#random.integer(1e9);
    const user = `user-${this.#random.integer(USERS)}`;
    const path = this.#random.pick(PATHS);
    const leaves = this.#random.number() < 0.2 || path.endsWith('/stream') ? this.#random.integer(150) : undefined;
    this.started += 1;
    const missing = this.missing;
    const reply = await this.#ask('POST', path, user, { seed }, leaves);
    if (this.missing > missing) this.#wrong(`seed ${seed} had no reply; ${user} has: ${await this.#runningOf(user)}`);
    const [, id] = /"execution_id":"([^"]+)"/.exec(reply?.body ?? '') ?? [];
    if (id !== undefined) this.open.push({ id, user, seed });
  }

  async #goOn(one: Started): Promise<void> {
    const standing = await this.standing(one);
    if (standing === undefined) return;
    if (standing.status === 'completed' || standing.status === 'failed') this.#forget(one);
    else if (standing.response_url !== undefined && this.#random.number() < 0.8) {
      const { input_type: type } = standing.prompt!;
      const response =
        type === 'text' ? { type, text: 'yes' } : { type, selected_option: { id: this.#random.pick(['yes', 'no']) } };
      await this.#ask('POST', standing.response_url, one.user, { response });
    }
  }

  async #follow({ id, user }: Started): Promise<void> {
    await this.#ask('GET', `/executions/${id}/stream`, user, undefined, this.#random.integer(100));
  }

  async cancel(one: Started): Promise<void> {
    await this.#ask('DELETE', `/executions/${one.id}`, one.user);
  }

  #forget(one: Started): void {
    const index = this.open.indexOf(one);
    if (index >= 0) this.open.splice(index, 1);
  }

  /** How it stands; undefined if the server does not say, or does not know it. */
  async standing(one: Started): Promise<Standing | undefined> {
    const reply = await this.#ask('GET', `/executions/${one.id}`, one.user);
    if (reply?.status === 404) this.#forget(one);
    return reply?.status === 200 ? (JSON.parse(reply.body) as Standing) : undefined;
  }

  /** The facts of an execution, as operators see them. */
  async journal({ id, user }: Started): Promise<string> {
    return (await this.#ask('GET', `/executions/${id}/journal`, user, undefined, undefined, true))?.body ?? '';
  }

  /** The ends of the journals of the executions of a user that neither wait for a person nor have ended. */
  async #runningOf(user: string): Promise<string> {
    const list = await this.#ask('GET', '/executions?status=running&limit=20', user);
    const ids = [...(list?.body ?? '').matchAll(/"execution_id":"([^"]+)"/g)].map(([, id]) => id!);
    const journals: string[] = [];
    for (const id of ids) journals.push(`${id}: ${(await this.journal({ id, user, seed: 0 })).slice(-1_500)}`);
    return journals.join('\n');
  }

  /** Undefined: the client has left after `leaves` milliseconds, or the server has stopped. */
  async #ask(
    method: string,
    path: string,
    user: string,
    body?: unknown,
    leaves?: number,
    isOperator = false,
  ): Promise<Reply | undefined> {
    const served = this.#served();
    if (served === undefined) return undefined;
    const signal = AbortSignal.timeout(leaves ?? TIMEOUT_MS);
    try {
      const response = await fetch(served.url + path, {
        method,
        headers: {
          'x-api-key': user,
          'content-type': 'application/json',
          ...(isOperator && { 'x-operator-key': OPERATOR_KEY }),
        },
        signal,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const reply = { status: response.status, body: await response.text() };
      this.#count(
        `${method} ${path.replace(/executions\/[^/]+/, 'executions/ID').replace(/interactions?\/[^/]+/, 'interaction/ID')} ${reply.status}`,
      );
      return reply;
    } catch (error) {
      if (leaves !== undefined || served.isStopping || served.isOver) return undefined;
      if (signal.aborted) this.missing += 1;
      if (signal.aborted) this.#wrong(`${method} ${path} had no reply within ${TIMEOUT_MS} ms`);
      else this.#wrong(`${method} ${path}: ${String((error as Error).cause ?? error)}`);
      return undefined;
    }
  }

  #count(what: string): void {
    this.replies.set(what, (this.replies.get(what) ?? 0) + 1);
  }
}
