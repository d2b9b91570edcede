/**
 * Runs one execution in a simulated world: a disk that survives its processes, time that passes on demand, and a
 * stand-in provider. A cut ends a process, or makes the disk fail, at one fact of the journal; another process
 * continues.
 */
import type { JournalEntry } from '../machines/facts.ts';
import type { Execution } from '../runtime/executions/execution.ts';
import { Failure, noRequest, type Response as Reply, RunTrace, type Workflow } from '../runtime/index.ts';
import { type LocalRuntime, openRuntime } from '../runtime/local-runtime.ts';
import { DIVERGED_MS, STALL_MS } from '../runtime/run/catch-up.ts';
import { Run } from '../runtime/run/run.ts';
import { Calls } from './calls.ts';
import { Disk, DiskStore, type Faults } from './disk.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { beat, rest } from './watchdog.ts';

export interface World {
  readonly workflow: Workflow;
  /** User id that starts, answers and consents. */
  readonly user: string;
  /** Names of the providers that the workflow may use. */
  readonly providers: readonly string[];
  /** How long the workflow may be busy outside of `ctx`. Milliseconds of real time. */
  readonly patienceMs: number;
}

/**
 * The cut. `killed`: the process dies when the fact with this number is on disk, before it is published. `store fails`:
 * this fact and all later ones cannot be stored for a while. `hibernated`: the execution leaves memory at each of its
 * waits.
 */
export type Cut = { readonly how: 'killed' | 'store fails'; readonly fact: number } | { readonly how: 'hibernated' };

/** An unused builder expires after this time. */
const LINGER_MS = 1_000;
/** After this many idle turns of the event loop, an execution counts as waiting. */
const QUIET_TURNS = 6;
/** Delay before facts that could not be stored are tried again. */
const RETRY_MS = 1_500;
/** A replay without progress for this long in real time has met other calls than the journal has. */
const DIVERGING_MS = 300;
/** Turns of the event loop for a commit. */
const COMMIT_TURNS = 1;

export class Play implements Faults {
  readonly clock = new SimulatedClock();
  readonly calls: Calls;
  runtime!: LocalRuntime;
  /** A deadline passed while the disk could not be written. */
  #isLate = false;
  /** Number of facts when the disk could not be written. */
  #delayedAt: number | undefined;
  readonly #world: World;
  readonly #workflow: Workflow;
  readonly #disk = new Disk();
  readonly #hibernates: boolean;
  /** Choices still to come. */
  #cut: Exclude<Cut, { how: 'hibernated' }> | undefined;
  #wasLost = false;
  #store!: DiskStore;
  #isLost = false;
  #id = '';
  #randoms = 0;

  private constructor(world: World, cut: Cut | undefined) {
    this.#world = world;
    this.#hibernates = cut?.how === 'hibernated';
    this.#cut = cut?.how === 'hibernated' ? undefined : cut;
    this.calls = new Calls(() => {
      this.#randoms = 0;
    });
    this.#workflow = this.calls.watched(world.workflow);
  }

  static async start(world: World, input: unknown, cut?: Cut): Promise<Play> {
    const play = new Play(world, cut);
    await play.#open();
    try {
      await play.#begin(input);
    } catch (error) {
      await play.end();
      throw error;
    }
    return play;
  }

  /** A new process with the present disk. */
  async #open(): Promise<void> {
    this.#isLost = false;
    this.#store = new DiskStore(this.#disk, COMMIT_TURNS, this);
    this.runtime = openRuntime({
      workflows: [this.#workflow],
      store: this.#store,
      providers: Object.fromEntries(this.#world.providers.map((name) => [name, PROVIDER])),
      clock: this.clock,
      options: { hibernateAfterMs: this.#hibernates ? 0 : 1e12 },
      random: () => numberAt(this.#randoms++),
      fetch: async () => Response.json({ access_token: 'test-token', token_type: 'Bearer', expires_in: 86_400 }),
    });
    await this.runtime.started;
  }

  async #begin(given: unknown): Promise<void> {
    const { workflow, user } = this.#world;
    const read = await workflow.input?.['~standard'].validate(given);
    if (read?.issues !== undefined) {
      throw new Error(
        `The input ${JSON.stringify(given)} is refused: ${read.issues.map(({ message }) => message).join('; ')}`,
      );
    }
    const starting = this.runtime.start({
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
    const failed = Promise.resolve(starting).then(
      () => undefined,
      (error: unknown) => error,
    );
    const { executions } = this.runtime.engine;
    this.#id = executions.all()[0]?.id ?? '';
    if (this.#id === '') throw (await failed) ?? new Error('The execution has not begun.');
    await this.quiet();
  }

  get execution(): Execution {
    return this.runtime.engine.executions.get(this.#id) as Execution; // in memory, or at once from the simulated disk
  }

  /** The journal on the disk. */
  get entries(): JournalEntry[] {
    return this.#disk.facts(this.#id);
  }

  /** Time passed while the disk could not be written, and the workflow noticed it: the path may differ. */
  get isDelayed(): boolean {
    const since = this.#delayedAt === undefined ? [] : this.entries.slice(this.#delayedAt);
    return this.#isLate || since.some((entry) => entry.type === 'value.recorded' && entry.name === 'now');
  }

  /**
   * Resolves when the execution has ended or waits for a person, in any process. Rejects if it does neither, and names
   * its open call.
   */
  async quiet(): Promise<void> {
    const until = performance.now() + this.#world.patienceMs;
    let progressAt = performance.now();
    let seq = -1;
    let idle = 0;
    for (let quiet = 0, turn = 0; quiet < QUIET_TURNS; turn += 1) {
      await new Promise<void>((resolve) => (turn < 100 ? setImmediate(resolve) : setTimeout(resolve, 1)));
      beat(this.#world.patienceMs);
      if (this.#isLost) {
        await this.#reopen();
        quiet = 0;
        continue;
      }
      this.clock.advance(0);
      const { execution } = this;
      if (execution === undefined) throw new Error('The execution does not exist any more.');
      const { driver, phase, applied } = execution;
      const isReplaying = driver instanceof Run && driver.isReplaying && execution.context.blocked === null;
      const isStill = (phase === 'waiting' || phase === 'settled') && !isReplaying && !this.#store.isBusy;
      quiet = isStill && !this.#store.isBroken ? quiet + 1 : 0;
      if (applied.context.seq !== seq) progressAt = performance.now();
      seq = applied.context.seq;
      idle = driver === undefined && !isStill && !this.#store.isBusy ? idle + 1 : 0;
      if (this.#store.isBroken || idle > QUIET_TURNS * 4) {
        if (!this.#store.isBusy) this.#tryAgain();
        idle = 0;
      }
      if (isReplaying && performance.now() - progressAt > DIVERGING_MS) {
        this.clock.advance(DIVERGED_MS);
        progressAt = performance.now();
      }
      if (performance.now() > until) {
        if (isReplaying) this.clock.advance(STALL_MS);
        if (this.execution.context.blocked !== null) return;
        throw new Error(
          `The workflow has neither ended nor asked for anything for ${this.#world.patienceMs} ms. ${this.calls.open} ` +
            'If it only takes that long, raise patienceMs.',
        );
      }
    }
  }

  /** Makes the disk writable again and retries pending writes. */
  #tryAgain(): void {
    this.#store.isBroken = false;
    const end = this.clock.now() + RETRY_MS;
    if (this.execution.context.pauses.some(({ dueAt }) => dueAt !== null && dueAt <= end)) this.#isLate = true;
    this.#delayedAt ??= this.entries.length;
    this.clock.advance(RETRY_MS);
  }

  /** Starts the next process after one that died: it builds the resources of the workflow again. */
  async #reopen(): Promise<void> {
    const { engine } = this.runtime;
    for (const execution of engine.executions.all()) execution.leave();
    engine.wheel.stop();
    this.#wasLost = true;
    // Closes what the dead process had opened, as the operating system does.
    const closing = Promise.allSettled(engine.served.builders.map((builders) => builders.stop()));
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref())]);
    await this.#open();
  }

  /** Makes a choice happen. If the process dies meanwhile, or cannot store it, the choice happens again. */
  async perform(act: () => unknown, isDone: () => boolean): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const doing = Promise.resolve(act()).then(
        () => undefined,
        (error: unknown) => error,
      );
      await this.quiet();
      if (isDone()) return;
      const error = await Promise.race([doing, undefined]); // never settles in a dead process
      if (error !== undefined && !(error instanceof Failure && error.code === 'store_unavailable')) throw error;
    }
  }

  isOpen(id: string): boolean {
    return this.execution.context.pauses.some((pause) => pause.id === id);
  }

  answer(id: string, reply: Reply): Promise<unknown> {
    return this.runtime.answer(this.#id, id, reply, { userId: this.#world.user });
  }

  consent(query: Record<string, string>): Promise<unknown> {
    const url = new URL(`${REDIRECT_URI}?${new URLSearchParams(query)}`);
    return this.runtime.completeOAuth(url, { userId: this.#world.user });
  }

  cancel(): Promise<void> {
    return this.runtime.cancel(this.#id, { userId: this.#world.user });
  }

  abandon(): void {
    this.clock.advance(this.runtime.options.parkedTimeoutMs);
  }

  passUntil(dueAt: number): void {
    this.clock.advance(Math.max(0, dueAt - this.clock.now()));
  }

  lostAfter(through: number): number | undefined {
    if (this.#cut?.how !== 'killed' || through < this.#cut.fact) return undefined;
    this.#cut = undefined;
    return through; // synchronous facts of a run are committed synchronously
  }

  /** A failed start has no execution to run. */
  fails(first: number, through: number): boolean {
    if (this.#cut?.how !== 'store fails' || through < this.#cut.fact || first === 1) return false;
    this.#cut = undefined;
    return true;
  }

  refuses(): boolean {
    return false;
  }

  lost(): void {
    this.#isLost = true;
    this.#store.isClosed = true;
  }

  /** Ends the play, and returns what was not released. */
  async end(): Promise<string[]> {
    rest();
    const left: string[] = [];
    const execution = this.runtime.engine.executions.inMemory(this.#id);
    if (execution?.isSettled) {
      this.clock.advance(LINGER_MS);
      const builder = this.runtime.builders(this.#world.workflow.name).list()[0];
      if (builder !== undefined && builder.slots.held > 0) left.push('a run slot is held');
      if (builder !== undefined && builder.slots.queued > 0) left.push('a run waits for a slot');
      if (builder !== undefined && builder.refCount > 0) left.push('the resources are in use');
      if (execution.watchers > 0) left.push('the execution has a subscriber');
    }
    const stopped = this.runtime.stop();
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise(setImmediate);
      this.clock.advance(this.runtime.options.stopTimeoutMs);
    }
    await stopped;
    if (!this.#wasLost && this.clock.pending > 0) left.push(`${this.clock.pending} timers are set`);
    return left;
  }
}

/** Once for each cut, and once more. */
const ATTEMPTS = 4;
/** Time limit for closing the resources of a dead process. */
const CLOSING_MS = 500;
const REDIRECT_URI = 'https://fermata.test/auth/redirect';

const PROVIDER = {
  clientId: 'test',
  authorizationUrl: 'https://provider.test/authorize',
  tokenUrl: 'https://provider.test/token',
  redirectUri: REDIRECT_URI,
};

/** From 0 to 1, the same in each replay. */
const numberAt = (index: number): number => ((index + 1) * 0.618_033_988_749_895) % 1;
