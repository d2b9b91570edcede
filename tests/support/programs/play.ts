/** Plays a program: one execution of it, in as many processes as its cuts leave it, until it has ended or cannot go on. */

import type { Execution } from '../../../runtime/executions/execution.ts';
import { createRuntime, type Runtime, type Workflow } from '../../../runtime/index.ts';
import { Run } from '../../../runtime/run/run.ts';
import { Disk, type Faults } from '../../../testing/disk.ts';
import { alice } from '../given.ts';
import { engineOf } from '../in-process.ts';
import { SimulatedClock } from '../simulated-clock.ts';
import { start } from '../start.ts';
import { answersTo, isBlocked, stepsOver } from './facts.ts';
import { BODY, interpreted } from './interpret.ts';
import type { End, Plan, Played } from './played.ts';
import { type Program, type Schedule, traitsOf } from './program.ts';
import { isAnswered, responseTo } from './questions.ts';
import { type OpenPlayed, onDisk, type PlayedStore } from './store.ts';
import { type Seen, World } from './world.ts';

/** Turns of the event loop in which nothing happens, after which nothing will. */
const QUIET_TURNS = 6;
/** Passes before each round; long enough to leave memory where that is asked for. */
const PAUSE_MS = 10_000;
const ROUNDS = 250;
/** A replay that takes longer than that does not get on. */
const REPLAY_TURNS = 600;
/** Rounds without anything that could be done, in which time passes in case that something is tried again. */
const PATIENCE = [1_500, 1_500, 70_000, 70_000, 70_000, 70_000];

const BANK = {
  clientId: 'fermata',
  authorizationUrl: 'https://bank.test/authorize',
  tokenUrl: 'https://bank.test/token',
  redirectUri: 'https://fermata.test/auth/redirect',
};

export const play = (program: Program, schedule: Schedule, plan: Plan, openStore = onDisk): Promise<Played> =>
  new Play(program, schedule, plan, openStore).play();

class Play implements Faults {
  readonly #schedule: Schedule;
  readonly #hibernates: boolean;
  readonly #cuts: Plan['cuts'][number][];
  readonly #clock = new SimulatedClock();
  readonly #disk = new Disk();
  readonly #world: World;
  readonly #workflow: Workflow;
  readonly #body: unknown;
  readonly #openStore: OpenPlayed;
  #store!: PlayedStore;
  #runtime!: Runtime;
  #id = '';
  #drawn = 0;
  #isLost = false;
  #lossIn: number | undefined;
  #isStopping = false;
  #randoms = 0;
  /** Answers given in this round, by the text of the prompt. */
  readonly #answering = new Map<string, number>();

  constructor(program: Program, schedule: Schedule, { cuts, hibernates }: Plan, openStore: OpenPlayed) {
    this.#openStore = openStore;
    this.#schedule = schedule;
    this.#hibernates = hibernates;
    this.#cuts = [...cuts];
    this.#world = new World(traitsOf(program));
    this.#world.stepsOver = () => stepsOver(this.#disk.facts(this.#id));
    this.#workflow = interpreted(program, this.#world);
    this.#body = program.input === 'transforms' ? BODY : null;
  }

  async play(): Promise<Played> {
    await this.#open();
    await this.#start();
    let end: End | undefined;
    let idle = 0;
    let lastSeq = 0;
    for (let round = 0; end === undefined && round < ROUNDS; round += 1) {
      await this.#quiet();
      if (this.#isLost) {
        await this.#open();
        continue;
      }
      if (this.#isStopping) {
        await this.#stop();
        await this.#open();
        continue;
      }
      this.#store.isBroken = false;
      await this.#compareJournals();
      end = await this.#end();
      if (end !== undefined) break;
      if (round === this.#schedule.cancelAfter) await this.#cancel();
      else if (await this.#act()) {
        idle = 0;
        const seq = this.#disk.facts(this.#id).length;
        if (seq === lastSeq) this.#clock.advance(PATIENCE[0]!); // it was not heard: what could not be stored is tried again
        lastSeq = seq;
      } else if (idle === PATIENCE.length) end = 'stuck';
      else this.#clock.advance(PATIENCE[idle++]!);
    }
    if (end === 'cancelled') await this.#quiet();
    return this.#played(end ?? 'stuck');
  }

  async #played(end: End): Promise<Played> {
    const { result, error } = (await this.#execution())?.context ?? { result: undefined, error: null };
    const made = this.#world.made.get(this.#world.attempts) ?? new Set();
    await this.#stop();
    this.#world.process += 1;
    for (const { resolve } of this.#world.outside) resolve();
    const journal = this.#disk.facts(this.#id);
    const { problems, begun, attempts: lives } = this.#world;
    return { end, result: result as readonly Seen[] | undefined, error, journal, problems, made, begun, lives };
  }

  async #open(): Promise<void> {
    if (this.#isLost) engineOf(this.#runtime).wheel.stop();
    this.#isLost = false;
    this.#isStopping = false;
    this.#lossIn = undefined;
    this.#store = await this.#openStore(this.#disk, this.#schedule.commitTurns, this);
    this.#runtime = await createRuntime({
      workflows: [this.#workflow],
      store: this.#store,
      clock: this.#clock,
      options: { hibernateAfterMs: this.#hibernates ? PAUSE_MS : 1e9, parkedTimeoutMs: 30 * 24 * 3_600_000 },
      providers: { bank: BANK },
      random: () => (this.#randoms += 1) / 1e6,
      fetch: async () => Response.json({ access_token: 'test-token', token_type: 'Bearer', expires_in: 1e9 }),
    });
  }

  async #start(): Promise<void> {
    const read = (await this.#workflow.input?.['~standard'].validate(this.#body)) as { value: unknown } | undefined;
    const engine = engineOf(this.#runtime);
    const starting = start(this.#runtime, { workflow: 'program', input: this.#body, read });
    this.#id = engine.executions.all()[0]!.id;
    await Promise.race([starting.catch(() => {}), this.#quiet()]);
  }

  async #execution(): Promise<Execution | undefined> {
    return engineOf(this.#runtime).executions.get(this.#id);
  }

  /** Resolves when nothing happens by itself any more, or the process is lost. */
  async #quiet(): Promise<void> {
    let seq = -1;
    let replaying = 0;
    for (let quiet = 0; quiet < QUIET_TURNS && !this.#isLost; ) {
      await new Promise(setImmediate);
      this.#world.turn += 1;
      if (this.#lossIn !== undefined && (this.#lossIn -= 1) < 0) this.lost();
      const execution = engineOf(this.#runtime).executions.inMemory(this.#id);
      const now = execution?.applied.context.seq ?? -1;
      const isBusy = this.#store.isBusy || this.#world.busy.size > 0 || now !== seq || isReplaying(execution);
      quiet = isBusy ? 0 : quiet + 1;
      seq = now;
      this.#clock.advance(0);
      if (isReplaying(execution) && !this.#store.isBusy && (replaying += 1) > REPLAY_TURNS) return;
    }
  }

  /** What readers of the stream get is what is on the disk. */
  async #compareJournals(): Promise<void> {
    const read = JSON.stringify((await this.#store.read(this.#id))?.entries ?? []);
    if (read !== JSON.stringify(this.#disk.facts(this.#id))) {
      this.#world.problem(
        'the journal in memory is not the one on the disk: a value was changed after it was journaled',
      );
    }
  }

  async #end(): Promise<End | undefined> {
    const execution = await this.#execution();
    if (execution === undefined) return 'stuck';
    const { error } = execution.context;
    if (execution.isSettled) {
      if (error === null) return 'completed';
      return error.code === 'cancelled' ? 'cancelled' : 'failed';
    }
    const waitsOutside = this.#world.outside.length > 0;
    return isBlocked(this.#disk.facts(this.#id)) && !waitsOutside ? 'blocked' : undefined;
  }

  /** Does what the schedule says. False: there is nothing to do. */
  async #act(): Promise<boolean> {
    const execution = (await this.#execution())!;
    if (execution.phase === 'waiting') this.#clock.advance(PAUSE_MS);
    const { pauses } = (await this.#execution())!.context;
    const acts: (() => unknown)[] = [];
    for (const pause of pauses) {
      if (pause.kind === 'oauth') acts.push(() => this.#consent(pause.authUrl));
      if (pause.kind === 'interaction' && isAnswered(pause.prompt))
        acts.push(() => this.#answer(pause.id, pause.prompt));
    }
    for (const waiting of this.#world.outside) acts.push(() => this.#fetched(waiting));
    const timed = pauses.flatMap(({ kind, dueAt }) =>
      kind !== 'oauth' && dueAt !== null && dueAt < this.#clock.now() + 3_600_000 ? dueAt : [],
    );
    if (timed.length > 0) acts.push(() => this.#passUntil(Math.min(...timed)));
    if (acts.length === 0) return execution.phase === 'waiting' && pauses.length === 0;
    this.#answering.clear();
    const count = 1 + (this.#draw() % Math.min(this.#schedule.atOnce, acts.length));
    const doing: unknown[] = [];
    for (let done = 0; done < count; done += 1) doing.push(acts.splice(this.#draw() % acts.length, 1)[0]!());
    await Promise.race([Promise.allSettled(doing), this.#quiet()]);
    return true;
  }

  /** What is due and has not happened is tried again after a while. */
  #passUntil(dueAt: number): void {
    this.#clock.advance(Math.max(PATIENCE[0]!, dueAt - this.#clock.now()));
  }

  #draw(): number {
    const { choices } = this.#schedule;
    return choices[this.#drawn++ % choices.length]!;
  }

  async #answer(id: string, prompt: Parameters<typeof responseTo>[0]): Promise<void> {
    const inRound = this.#answering.get(prompt.text) ?? 0;
    this.#answering.set(prompt.text, inRound + 1);
    const count = answersTo(prompt.text, this.#disk.facts(this.#id)) + inRound;
    await this.#runtime.answer(this.#id, id, responseTo(prompt, count), alice);
  }

  /** One consent may be for several calls: its state is that of the first. */
  async #consent(authUrl: string): Promise<void> {
    const state = new URL(authUrl).searchParams.get('state')!;
    await this.#runtime.completeOAuth(new URL(`${BANK.redirectUri}?state=${state}&code=code`), alice);
  }

  #fetched(waiting: World['outside'][number]): void {
    this.#world.outside.splice(this.#world.outside.indexOf(waiting), 1);
    waiting.resolve();
  }

  async #cancel(): Promise<void> {
    await Promise.race([this.#runtime.cancel(this.#id, alice).catch(() => {}), this.#quiet()]);
  }

  async #stop(): Promise<void> {
    const stopped = this.#runtime.stop();
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    this.#clock.advance(this.#runtime.options.stopTimeoutMs);
    await stopped;
    this.#world.process += 1;
    this.#world.busy.clear();
    this.#world.outside.splice(0);
  }

  lostAfter(through: number): number | undefined {
    const [cut] = this.#cuts;
    if (cut === undefined || through < cut.fact || (cut.how !== 'kill' && cut.how !== 'stop')) return undefined;
    this.#cuts.shift();
    if (cut.how === 'stop') this.#isStopping = true;
    else if (cut.turns > 0) this.#lossIn = cut.turns;
    else return cut.fact;
    return undefined;
  }

  /** A start that fails has not happened: there is nothing to play. */
  fails(first: number, through: number): boolean {
    const [cut] = this.#cuts;
    if (cut?.how !== 'fail' || through < cut.fact || first === 1) return false;
    this.#cuts.shift();
    return true;
  }

  refuses(seq: number): boolean {
    const [cut] = this.#cuts;
    if (cut?.how !== 'refuse' || seq < cut.fact) return false;
    this.#cuts.shift();
    return true;
  }

  lost(): void {
    this.#isLost = true;
    this.#lossIn = undefined;
    this.#store.isClosed = true;
    this.#world.process += 1;
    this.#world.busy.clear();
    this.#world.outside.splice(0);
  }
}

const isReplaying = (execution: Execution | undefined): boolean =>
  execution?.driver instanceof Run && execution.driver.isReplaying;
