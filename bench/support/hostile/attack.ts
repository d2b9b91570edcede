/** An attack: many hostile clients at once, with some well-behaved clients, and a check for leaks afterwards. */
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { OPERATOR_KEY } from './operator-key.ts';
import { type Measured, SOCKET_PATHS, type Store, Target } from './target.ts';
import { pay, type Visit, visitsTo } from './visit.ts';

export interface Attack {
  readonly store: Store;
  /** The `--adapter` of the server. Default: none. */
  readonly adapter?: string | undefined;
  readonly seconds: number;
  /** Visits come in batches, and each batch is generated from its number. This is the number of the first one. */
  readonly seed: number;
  /** Number of concurrent clients. Default 24. */
  readonly lanes?: number;
}

export interface Damage {
  readonly visits: number;
  /** Replies by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** All violations, in words; empty if there are none. */
  readonly faults: readonly string[];
  /** Things that were not released in time. */
  readonly left: readonly string[];
  readonly slowestHealthMs: number;
  /** Cycles of well-behaved clients, from the start to the result. */
  readonly cycles: number;
  readonly before: Measured;
  readonly after: Measured;
}

/** Visits in one batch. */
const BATCH = 20;
const LANES = 24;
/** `/health` must answer within this time, also on a busy machine. */
const HEALTH_MS = 10_000;
/** Everything must have ended within this time: uWS detects a lost client after 8 to 12 s. */
const QUIET_MS = 45_000;
/** The retention of an execution: see `configuration` in `target.ts`. */
const RECORD_MS = 1_000;
/** Longer than the longest retention of a job. In a long attack the clock is set forward, so that no job is left. */
const RETENTION_MS = 25 * 3_600_000;
/** A server notices within 30 s that its clock was set. */
const NOTICED_MS = 60_000;
/** Interval of checks; longer than the retention. */
const PAUSE_MS = 1_500;
/** Seconds after which bytes are compared: before that, code is compiled and pools grow. */
const LONG_S = 60;
/** Allowed growth of heap and memory after an attack. */
export const TOLERANCE = 0.1;
/** Maximum number of reported different faults. */
const MAX_FAULTS = 20;

export const attack = async ({ store, adapter, seconds, seed, lanes = LANES }: Attack): Promise<Damage> => {
  const target = await Target.start(store, adapter);
  const battle = new Battle(target, seed, await target.endpoints());
  try {
    // A first round fills caches and pools before the first measurement.
    await battle.fight(seconds / 4, lanes);
    const isLong = seconds >= LONG_S;
    const before = await battle.quiet(isLong);
    await battle.fight((seconds * 3) / 4, lanes);
    const after = await battle.quiet(isLong, before);
    return battle.report(before, after, isLong);
  } catch (thrown) {
    throw target.hasEnded ? new Error(`The server has ended. ${battle.story()}\n${target.exit}`) : thrown;
  } finally {
    await target.end();
  }
};

class Battle {
  readonly #target: Target;
  readonly #visits: fc.Arbitrary<Visit>;
  readonly #known = { execution: 'unknown', interaction: 'unknown' };
  readonly #statuses = new Map<number, number>();
  readonly #faults = new Set<string>();
  /** Numbers of the running batches. */
  readonly #underWay = new Set<number>();
  #batch: number;
  readonly #first: number;
  #count = 0;
  #cycles = 0;
  /** Settled executions that may be left: those within their retention. */
  #jobs = 0;
  #slowestHealthMs = 0;

  constructor(target: Target, seed: number, endpoints: Parameters<typeof visitsTo>[0]) {
    this.#target = target;
    this.#first = seed;
    this.#batch = seed;
    this.#visits = visitsTo(endpoints, SOCKET_PATHS);
  }

  async fight(seconds: number, lanes: number): Promise<void> {
    const until = performance.now() + seconds * 1_000;
    const goesOn = (): boolean => performance.now() < until && !this.#target.hasEnded;
    const hostile = Array.from({ length: lanes }, () => this.#lane(goesOn));
    await Promise.all([...hostile, this.#watchHealth(goesOn), this.#behave(goesOn)]);
    this.#failIfEnded();
  }

  /** Waits until nothing is running any more; `isLong`: and until nothing that has ended is kept. */
  async quiet(isLong: boolean, before?: Measured): Promise<Measured> {
    // A later measurement may meet executions that were loaded for the end of their prompts meanwhile.
    const held = await this.#rest(QUIET_MS, before);
    if (!isLong) return held;
    this.#target.setForward(RETENTION_MS);
    return this.#rest(NOTICED_MS, before, 0);
  }

  /** `jobs`: how many may be left. Default: those whose retention has not ended. */
  async #rest(ms: number, before?: Measured, jobs?: number): Promise<Measured> {
    const until = performance.now() + ms;
    for (;;) {
      await setTimeout(PAUSE_MS);
      this.#jobs = jobs ?? (await this.#countSettled());
      const held = await this.#target.measure();
      if (this.#leftIn(held, before).length === 0 || performance.now() > until) return held;
    }
  }

  report(before: Measured, after: Measured, isLong: boolean): Damage {
    for (const [error, count] of this.#target.errors) this.#fault(`${count} times logged: ${error}`);
    for (const name of isLong ? (['heapBytes', 'rssBytes'] as const) : []) {
      if (after[name] > before[name] * (1 + TOLERANCE)) {
        this.#fault(`${name} has grown from ${before[name]} to ${after[name]}`);
      }
    }
    return {
      visits: this.#count,
      statuses: this.#statuses,
      faults: [...this.#faults],
      left: this.#leftIn(after, before),
      slowestHealthMs: this.#slowestHealthMs,
      cycles: this.#cycles,
      before,
      after,
    };
  }

  /** Things that exist although nothing is running. */
  #leftIn(held: Measured, before = held): string[] {
    // The builder of the shared workflow stays. A job keeps its request.
    const idle = { executions: this.#jobs, runs: 0, exchanges: this.#jobs, connections: 0, builders: 1 };
    const left = Object.entries(idle)
      .filter(([name, count]) => held[name as keyof typeof idle] > count)
      .map(([name, count]) => `${held[name as keyof typeof idle]} ${name} are left, and ${count} should be`);
    if (held.files > before.files + 2) left.push(`${held.files} files are open, before there were ${before.files}`);
    return left;
  }

  /** Jobs have a retention that is longer than an attack. */
  async #countSettled(): Promise<number> {
    const headers = { 'x-operator-key': OPERATOR_KEY };
    let count = 0;
    let cursor: string | null = '';
    do {
      const before: string = cursor === '' ? '' : `&before=${cursor}`;
      const { text } = await this.#ask('GET', `/executions?limit=200${before}`, undefined, { headers });
      const { executions = [], next = null } = parsed(text) as ListedPage;
      count += executions.filter(({ phase }) => phase === 'settled').length;
      cursor = next;
    } while (cursor !== null);
    return count;
  }

  /** The seed that reproduces it. */
  story(): string {
    const batches = [...this.#underWay].join(', ') || String(this.#batch);
    return `The first batch was ${this.#first}; under way were ${batches}. Run it again with --seed ${this.#first}, or one of these.`;
  }

  async #lane(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      const batch = this.#batch;
      this.#batch += 1;
      this.#underWay.add(batch);
      for (const visit of fc.sample(this.#visits, { seed: batch, numRuns: BATCH })) {
        if (!goesOn()) return;
        const { status, isHung, sent } = await pay(visit, this.#target.port, this.#known);
        this.#count += 1;
        if (status !== undefined) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
        if (isHung && !this.#target.hasEnded) this.#fault(`no reply, seed ${batch}: ${said(visit, sent)}`);
        if (status === 500) this.#fault(`status 500, seed ${batch}: ${said(visit, sent)}`);
      }
      this.#underWay.delete(batch);
    }
  }

  async #watchHealth(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      const at = performance.now();
      const status = await this.#ask('GET', '/health', undefined, { ms: HEALTH_MS });
      if (status.status !== 200 && goesOn()) this.#fault(`/health: ${status.text || 'no answer'}`);
      this.#slowestHealthMs = Math.max(this.#slowestHealthMs, performance.now() - at);
      await setTimeout(100);
    }
  }

  /** Starts, answers and reads results as a well-behaved client does. */
  async #behave(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      const started = await this.#ask('POST', '/v1/workflow', { input_message: 'ask' });
      const { response_url, status_url } = parsed(started.text);
      if (started.status !== 202 || typeof response_url !== 'string') {
        // It may reply that it is busy, but nothing else.
        if (started.status !== 429 && started.status !== 503 && goesOn()) {
          this.#fault(`a start got ${started.status} ${started.text.slice(0, 200)}`);
        }
      } else {
        const at = performance.now();
        const answered = await this.#ask('POST', response_url, { response: { type: 'text', text: 'Ada' } });
        const seen = await this.#outcome(String(status_url));
        // On a busy machine the prompt may expire before its answer arrives, and the record before it is read.
        const isForgotten = seen.status === 404 && performance.now() - at > RECORD_MS;
        if (seen.text.includes('"completed"')) this.#cycles += 1;
        else if (answered.status === 204 && !isForgotten && goesOn())
          this.#fault(`after an answer: ${seen.status} ${seen.text.slice(0, 200)}`);
      }
      await setTimeout(50);
    }
  }

  /** Each reply reports a change, which need not be the end. */
  async #outcome(path: string): Promise<Told> {
    const until = performance.now() + HEALTH_MS;
    let seen = await this.#ask('GET', path);
    while (/"(running|interaction_required)"/.test(seen.text) && performance.now() < until) {
      await setTimeout(10);
      seen = await this.#ask('GET', path);
    }
    return seen;
  }

  async #ask(
    method: string,
    path: string,
    body?: unknown,
    { headers = {}, ms = HEALTH_MS * 2 }: Asked = {},
  ): Promise<Told> {
    try {
      const response = await fetch(`http://localhost:${this.#target.port}${path}`, {
        method,
        signal: AbortSignal.timeout(ms),
        headers: { ...headers, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (thrown) {
      return { status: 0, text: String(thrown) };
    }
  }

  #failIfEnded(): void {
    if (this.#target.hasEnded) throw new Error('ended');
  }

  #fault(what: string): void {
    if (this.#faults.size < MAX_FAULTS) this.#faults.add(what);
  }
}

type Told = { readonly status: number; readonly text: string };
type ListedPage = {
  readonly executions?: readonly { readonly phase: string }[];
  /** A page is cut short if its executions are large. */
  readonly next?: string | null;
};
type Asked = { readonly headers?: Readonly<Record<string, string>>; readonly ms?: number };

const parsed = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};

const said = ({ delivery, reading }: Visit, sent: string): string =>
  `${delivery}, read ${reading}: ${JSON.stringify(sent.slice(0, 300))} (${sent.length} bytes)`;
