/** A client that never gives up: it retries with the same key until it has a reply, whatever happens to the server. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

/** Violations by kind. All must be zero. */
export interface Losses {
  lostStarts: number;
  doubledStarts: number;
  lostAnswers: number;
  doubledAnswers: number;
  wrongResults: number;
  stuck: number;
}

export interface Target {
  /** URL of the present server. */
  port(): number;
  /** Epoch milliseconds after which an unfinished execution counts as stuck; moved on while servers are killed. */
  deadline(): number;
}

type Reply = { readonly status: number; readonly body: string };

const PAUSE_MS = 5;
/** A server that is stopped does not reply. */
const REPLY_MS = 10_000;

/** The last two are open at the same time. */
const QUESTIONS = ['The first?', 'The second?', 'The third?'] as const;

export class PersistentClient {
  readonly #target: Target;
  readonly #losses: Losses;
  /** Finished cycles, and acknowledged replies. */
  done = 0;
  acknowledged = 0;

  constructor(target: Target, losses: Losses) {
    this.#target = target;
    this.#losses = losses;
  }

  /** One execution, from its start to its result. */
  async cycle(): Promise<void> {
    const key = randomUUID();
    const started = await this.#until('POST', '/v1/workflow', { body: {}, key });
    if (started.status !== 202) throw new Error(`start: ${started.status} ${started.body}`);
    const { execution_id } = JSON.parse(started.body) as { execution_id: string };
    const again = await this.#until('POST', '/v1/workflow', { body: {}, key });
    if (JSON.parse(again.body).execution_id !== execution_id) this.#losses.doubledStarts += 1;
    void this.#read(execution_id);
    const given = new Map<string, string>();
    while (given.size < QUESTIONS.length) {
      const asked = await this.#promptOf(execution_id, given);
      if (asked === undefined) return;
      given.set(asked.question, await this.#answer(asked.path));
    }
    const result = await this.#resultOf(execution_id);
    if (result === undefined) return;
    const expected = [...QUESTIONS.map((question) => given.get(question)), 'a', 'b'];
    if (JSON.stringify(result) !== JSON.stringify(expected)) this.#losses.wrongResults += 1;
    this.done += 1;
  }

  async #answer(path: string): Promise<string> {
    const text = randomUUID();
    const body = { response: { type: 'text', text } };
    const answered = await this.#until('POST', path, { body, key: randomUUID() });
    if (answered.status !== 204) this.#losses.lostAnswers += 1;
    const other = { response: { type: 'text', text: 'another answer' } };
    const second = await this.#until('POST', path, { body: other, key: randomUUID() });
    if (second.status < 400) this.#losses.doubledAnswers += 1;
    return text;
  }

  /** The open prompt and the path for its answer. A prompt with an acknowledged answer must not open again. */
  async #promptOf(
    id: string,
    given: ReadonlyMap<string, string>,
  ): Promise<{ readonly question: string; readonly path: string } | undefined> {
    return this.#poll(id, ({ prompt, response_url }) => {
      const question = prompt?.text;
      if (question === undefined || response_url === undefined) return undefined;
      if (!given.has(question)) return { question, path: response_url };
      this.#losses.lostAnswers += 1;
      return undefined;
    });
  }

  /** Follows the stream as long as the server runs, as load. */
  async #read(id: string): Promise<void> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#target.port()}/executions/${id}/stream`);
      for await (const _ of response.body ?? []);
    } catch {
      // it was killed
    }
  }

  async #resultOf(id: string): Promise<unknown> {
    return this.#poll(id, ({ status, result, error }) => {
      if (status === 'failed') throw new Error(`execution ${id} failed: ${JSON.stringify(error)}`);
      return status === 'completed' ? (result?.value ?? result) : undefined;
    });
  }

  async #poll<T>(id: string, look: (body: Body) => T | undefined): Promise<T | undefined> {
    for (;;) {
      const { status, body } = await this.#until('GET', `/executions/${id}`);
      if (status !== 200) {
        this.#losses.lostStarts += 1;
        return undefined;
      }
      const found = look(JSON.parse(body));
      if (found !== undefined) return found;
      if (Date.now() > this.#target.deadline()) {
        this.#losses.stuck += 1;
        return undefined;
      }
      await setTimeout(PAUSE_MS);
    }
  }

  async #until(method: string, path: string, { body, key }: { body?: unknown; key?: string } = {}): Promise<Reply> {
    for (;;) {
      try {
        const response = await fetch(`http://127.0.0.1:${this.#target.port()}${path}`, {
          method,
          headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(REPLY_MS),
        });
        const reply = { status: response.status, body: await response.text() };
        if (reply.status < 500 && reply.status !== 429) {
          this.acknowledged += 1;
          return reply;
        }
      } catch {
        // it was killed or stopped, or has not started yet
      }
      if (Date.now() > this.#target.deadline()) throw new Error(`${method} ${path} got no reply`);
      await setTimeout(PAUSE_MS);
    }
  }
}

type Body = {
  readonly status: string;
  readonly prompt?: { readonly text: string };
  readonly response_url?: string;
  readonly result?: { readonly value?: unknown };
  readonly error?: unknown;
};
