/** One execution in a world of its own: a runtime in memory, time that passes when the play says so, a provider that is none. */
import type { JournalEntry } from '../machines/facts.ts';
import type { Execution } from '../runtime/executions/execution.ts';
import {
  createRuntime,
  noRequest,
  type Response as Reply,
  RunTrace,
  type Runtime,
  type Workflow,
} from '../runtime/index.ts';
import { DIVERGED_MS, STALL_MS } from '../runtime/run/catch-up.ts';
import { Run } from '../runtime/run/run.ts';
import { SimulatedClock } from './simulated-clock.ts';

export interface World {
  readonly workflow: Workflow;
  /** User id of whoever starts, answers and consents. */
  readonly user: string;
  /** Names of the providers that the workflow may ask for. */
  readonly providers: readonly string[];
  /** How long the workflow may be busy with things that are none of `ctx`. Milliseconds of real time. */
  readonly patienceMs: number;
}

/** A builder that nobody uses is told so after a while. */
const LINGER_MS = 1_000;
/** Turns of the event loop in which nothing happens, after which an execution that waits does nothing but wait. */
const QUIET_TURNS = 4;
/** Turns that a run may take to do again what it has done before. Those beyond a hundred take a millisecond. */
const PATIENT_TURNS = 150;

export class Play {
  readonly runtime: Runtime;
  readonly clock: SimulatedClock;
  readonly #world: World;
  execution!: Execution;
  readonly entries: JournalEntry[] = [];
  #crashAfter: number | undefined;
  #unwatch: (() => void) | undefined;

  private constructor(world: World, runtime: Runtime, clock: SimulatedClock) {
    this.#world = world;
    this.runtime = runtime;
    this.clock = clock;
  }

  /** Starts the workflow; after the fact of that number its process is as good as gone, and another one goes on. */
  static async start(world: World, input: unknown, crashAfter?: number): Promise<Play> {
    const clock = new SimulatedClock();
    let play: Play | undefined;
    const runtime = await createRuntime({
      workflows: [world.workflow],
      providers: Object.fromEntries(world.providers.map((name) => [name, PROVIDER])),
      clock,
      random: () => numberAt(play?.randoms ?? 0),
      fetch: async () => Response.json({ access_token: 'test-token', token_type: 'Bearer', expires_in: 86_400 }),
    });
    play = new Play(world, runtime, clock);
    play.#crashAfter = crashAfter;
    try {
      await play.#begin(input);
    } catch (error) {
      await play.end();
      throw error;
    }
    return play;
  }

  async #begin(given: unknown): Promise<void> {
    const { workflow, user } = this.#world;
    const read = await workflow.input?.['~standard'].validate(given);
    if (read?.issues !== undefined) {
      throw new Error(
        `The input ${JSON.stringify(given)} is refused: ${read.issues.map(({ message }) => message).join('; ')}`,
      );
    }
    const { execution } = await this.runtime.start({
      workflow: workflow.name,
      input: given,
      read: read && { value: read.value },
      by: { userId: user },
      interactive: true,
      streaming: true,
      recordsSteps: false,
      conversationId: undefined,
      userMessageId: undefined,
      request: noRequest,
      trace: new RunTrace({}),
    });
    this.execution = execution as Execution;
    this.#unwatch = this.execution.watch((entry) => this.#told(entry));
    this.entries.push(...(this.runtime.journal(this.execution, 0)?.entries ?? []));
    const last = this.entries.at(-1)?.seq ?? 0;
    if (this.#crashAfter !== undefined && this.#crashAfter <= last) this.#lose();
    await this.quiet();
  }

  #told(entry: JournalEntry): void {
    this.entries.push(entry);
    if (entry.seq !== this.#crashAfter) return;
    // What a run does at once is kept at once: pauses that it opens together are there together after a crash.
    if (this.execution.phase === 'waiting') afterThisTask(() => this.#lose());
    else this.#lose();
  }

  /** What an execution has begun with is there at once, and lost at once. */
  #lose(): void {
    if (this.execution.hasEnded) return;
    this.execution.leave();
    this.execution.recover();
    this.execution.attend();
  }

  /** How many random numbers were recorded. */
  get randoms(): number {
    return this.entries.filter((entry) => entry.type === 'value.recorded' && entry.name === 'random').length;
  }

  /** Resolves when it has ended, or waits for somebody. Rejects if it does neither. */
  async quiet(): Promise<void> {
    const until = performance.now() + this.#world.patienceMs;
    for (let quiet = 0, turn = 0; quiet < QUIET_TURNS; turn += 1) {
      await new Promise<void>((resolve) => (turn < 100 ? setImmediate(resolve) : setTimeout(resolve, 1)));
      this.clock.advance(0);
      const { phase, driver, context } = this.execution;
      const isReplaying = driver instanceof Run && driver.isReplaying && context.blocked === null;
      quiet = (phase === 'waiting' || phase === 'settled') && !isReplaying ? quiet + 1 : 0;
      // A run that does not do again what it has done is found out when its time for that is over.
      if (isReplaying && turn === PATIENT_TURNS) this.clock.advance(DIVERGED_MS);
      if (performance.now() > until) {
        this.clock.advance(isReplaying ? STALL_MS : 0);
        if (this.execution.context.blocked !== null) return;
        throw new Error(
          `The workflow has neither ended nor asked for anything for ${this.#world.patienceMs} ms: it waits for something ` +
            'that is no call of ctx, or a step takes that long (see patienceMs).',
        );
      }
    }
  }

  answer(id: string, reply: Reply): Promise<unknown> {
    return this.runtime.answer(this.execution.id, id, reply, { userId: this.#world.user });
  }

  consent(query: Record<string, string>): Promise<unknown> {
    const url = new URL(`${REDIRECT_URI}?${new URLSearchParams(query)}`);
    return this.runtime.completeOAuth(url, { userId: this.#world.user });
  }

  cancel(): Promise<void> {
    return this.runtime.cancel(this.execution.id, { userId: this.#world.user });
  }

  abandon(): void {
    this.clock.advance(this.runtime.options.parkedTimeoutMs);
  }

  passUntil(dueAt: number): void {
    this.clock.advance(Math.max(0, dueAt - this.clock.now()));
  }

  /** Ends it, and says what was left behind. */
  async end(): Promise<string[]> {
    this.#unwatch?.();
    const left: string[] = [];
    if (this.execution?.isSettled) {
      this.clock.advance(LINGER_MS);
      const builder = this.runtime.builders(this.#world.workflow.name).list()[0];
      if (builder !== undefined && builder.slots.held > 0) left.push('a run slot is held');
      if (builder !== undefined && builder.slots.queued > 0) left.push('a run slot is waited for');
      if (builder !== undefined && builder.refCount > 0) left.push('the resources are in use');
      if (this.execution.watchers > 0) left.push('somebody watches the execution');
    }
    const stopped = this.runtime.stop();
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise(setImmediate);
      this.clock.advance(this.runtime.options.stopTimeoutMs);
    }
    await stopped;
    if (this.clock.pending > 0) left.push(`${this.clock.pending} timers are set`);
    return left;
  }
}

/** When what is going on is over, microtasks included, and nothing else has begun. */
const afterThisTask = (run: () => void): void => process.nextTick(() => queueMicrotask(() => process.nextTick(run)));

const REDIRECT_URI = 'https://fermata.test/auth/redirect';

const PROVIDER = {
  clientId: 'test',
  authorizationUrl: 'https://provider.test/authorize',
  tokenUrl: 'https://provider.test/token',
  redirectUri: REDIRECT_URI,
};

/** From 0 to 1, and the same in each play; after a crash too, since those that were not recorded are drawn again. */
const numberAt = (index: number): number => ((index + 1) * 0.618_033_988_749_895) % 1;
