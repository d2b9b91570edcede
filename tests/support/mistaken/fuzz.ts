/**
 * Serves workflows of random mistakes and lets random clients use them, while a third process asks for `/health`. Servers are
 * stopped and started again in between. Says what a server must not do: end by itself, answer late, keep an execution that
 * neither ends nor waits for anything that has a name, or ignore SIGTERM.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JournalEntry } from '../../../machines/facts.ts';
import { Client, type Started } from './clients.ts';
import type { Probe } from './prober.ts';
import { Random } from './random.ts';
import { ServedProcess, STOP_TIMEOUT_MS } from './served.ts';

type Kept = 'memory' | 'file';

export interface FuzzOptions {
  readonly seed: number;
  /** How long the clients work, all lives of all servers together. */
  readonly ms: number;
  readonly kept: readonly Kept[];
  /** A server is stopped after that time, about. */
  readonly lifeMs: number;
  readonly clients: number;
  /** Called with each problem when it is found. */
  readonly found?: (problem: string) => void;
}

export interface FuzzReport {
  readonly started: number;
  readonly lives: number;
  /** What an execution that had not ended waited for, and how many did. */
  readonly waits: ReadonlyMap<string, number>;
  readonly replies: ReadonlyMap<string, number>;
  readonly probes: readonly Probe[];
  /** Milliseconds from SIGTERM until the process had ended. */
  readonly stops: readonly number[];
  readonly problems: readonly string[];
}

/** Beyond the time that executing runs get: closing resources, and a machine that is busy. */
const STOP_MARGIN_MS = 10_000;
/** After its server is left alone an execution has so long to end, or to wait. */
const SETTLE_MS = 20_000;
/** Executions that are looked at then. */
const LOOKED_AT = 60;

const processOf = async <T>(args: readonly string[], isReady: boolean): Promise<{ child: ChildProcess; first: T }> => {
  const file = fileURLToPath(new URL('prober.ts', import.meta.url));
  const child = fork(file, args, { execArgv: ['--import', 'tsx'] });
  const [first] = isReady ? ((await once(child, 'message')) as [T]) : [undefined as T];
  return { child, first };
};

export const fuzz = async (asked: FuzzOptions): Promise<FuzzReport> => {
  const control = await processOf<string>(['control'], true);
  const prober = await processOf<undefined>(['probe', control.first], false);
  const all = asked.kept.map((kept, index) => new Lives({ ...asked, ms: asked.ms / asked.kept.length }, kept, index));
  try {
    for (const lives of all) await lives.run((url) => prober.child.send(url as string));
    prober.child.send('report');
    const [probes] = (await once(prober.child, 'message')) as [readonly Probe[]];
    return {
      started: sum(all.map(({ started }) => started)),
      lives: sum(all.map(({ lives }) => lives)),
      waits: merged(all.map(({ waits }) => waits)),
      replies: merged(all.map(({ replies }) => replies)),
      probes,
      stops: all.flatMap(({ stops }) => stops),
      problems: all.flatMap(({ problems }) => problems),
    };
  } finally {
    for (const lives of all) lives.end();
    control.child.kill();
    prober.child.kill();
  }
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const merged = (maps: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> => {
  const all = new Map<string, number>();
  for (const map of maps) for (const [name, count] of map) all.set(name, (all.get(name) ?? 0) + count);
  return all;
};

/** One server after the other, with the same clients; with a file, on the same directory. */
class Lives {
  readonly problems: string[] = [];
  readonly #wrong = (problem: string): void => {
    this.problems.push(problem);
    this.#asked.found?.(problem);
  };
  readonly waits = new Map<string, number>();
  readonly replies = new Map<string, number>();
  readonly stops: number[] = [];
  lives = 0;
  readonly #asked: FuzzOptions;
  readonly #kept: Kept;
  readonly #random: Random;
  readonly #directory: string | undefined;
  readonly #clients: readonly Client[];
  #served: ServedProcess | undefined;

  constructor(asked: FuzzOptions, kept: Kept, index: number) {
    this.#asked = asked;
    this.#kept = kept;
    this.#random = new Random(asked.seed + index * 7_919);
    this.#directory = kept === 'file' ? mkdtempSync(join(tmpdir(), 'fermata-mistakes-')) : undefined;
    const served = (): ServedProcess | undefined => this.#served;
    this.#clients = Array.from(
      { length: asked.clients },
      () => new Client(this.#random.integer(2 ** 31), served, this.#wrong, this.replies),
    );
  }

  get started(): number {
    return sum(this.#clients.map(({ started }) => started));
  }

  end(): void {
    this.#served?.kill();
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  async run(probe: (url: string | null) => void): Promise<void> {
    for (let left = this.#asked.ms; left > 0; ) {
      await this.#start(probe);
      const life = Math.min(left, this.#asked.lifeMs * (0.5 + this.#random.number()));
      left -= life;
      await this.#work(life);
      if (this.#kept === 'memory' || left <= 0) await this.#settle();
      await this.#stop(probe);
      if (this.#kept === 'memory') for (const { open } of this.#clients) open.splice(0);
    }
  }

  async #start(probe: (url: string | null) => void): Promise<void> {
    const served = await ServedProcess.start(this.#directory);
    this.#served = served;
    this.lives += 1;
    probe(served.url);
    void served.ended.then((end) => {
      if (!served.isStopping) this.#wrong(`the server ended by itself, with ${end}: ${served.tail}`);
    });
  }

  async #work(ms: number): Promise<void> {
    const until = performance.now() + ms;
    await Promise.all(
      this.#clients.map(async (client) => {
        while (performance.now() < until && this.#served?.isOver === false) await client.act();
      }),
    );
  }

  async #stop(probe: (url: string | null) => void): Promise<void> {
    const served = this.#served!;
    probe(null);
    if (served.isOver) return;
    const limit = STOP_TIMEOUT_MS + STOP_MARGIN_MS;
    const { ms, end } = await served.stop(limit);
    this.stops.push(ms);
    if (end !== 0) this.#wrong(`SIGTERM ended it with ${end} after ${Math.round(ms)} ms: ${served.tail}`);
    for (const defect of served.defects) this.#wrong(defect);
  }

  /** Each execution has to end or to wait for something that has a name; and then to end when it is cancelled. */
  async #settle(): Promise<void> {
    const all = this.#clients.flatMap((client) => client.open.map((one) => ({ client, one })));
    for (const { client, one } of all.slice(-LOOKED_AT)) {
      const wait = await this.#waitOf(client, one);
      if (wait === undefined)
        this.#wrong(`seed ${one.seed} neither ends nor waits: ${(await client.journal(one)).slice(-1_500)}`);
      else this.waits.set(wait, (this.waits.get(wait) ?? 0) + 1);
      await client.cancel(one);
      if ((await this.#within(async () => isEnd((await client.standing(one))?.status))) === undefined)
        this.#wrong(`seed ${one.seed} goes on although it was cancelled`);
    }
  }

  #waitOf(client: Client, one: Started): Promise<string | undefined> {
    return this.#within(async () => {
      const standing = await client.standing(one);
      if (standing === undefined || isEnd(standing.status)) return standing?.status ?? 'forgotten';
      if (standing.status !== 'running') return standing.status;
      if (standing.blocked !== undefined) return 'blocked';
      return openIn(JSON.parse(await client.journal(one)));
    });
  }

  /** The first value that `look` gives; undefined if it gives none for too long. */
  async #within<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (const until = performance.now() + SETTLE_MS; performance.now() < until && !this.#served!.isOver; ) {
      const found = await look();
      if (found !== undefined) return found;
      await pass(50);
    }
    return undefined;
  }
}

const isEnd = (status: string | undefined): true | undefined =>
  status === undefined || status === 'completed' || status === 'failed' || status === 'idle-expiring'
    ? true
    : undefined;

/** A sleep or a step that is open. */
const openIn = ({ entries }: { readonly entries: readonly JournalEntry[] }): string | undefined => {
  const open = new Map<string | number, string>();
  for (const entry of entries) {
    if (entry.type === 'sleep.started') open.set(entry.id, 'a sleep');
    if (entry.type === 'step.started') open.set(entry.call, 'a step');
    if (entry.type === 'sleep.elapsed' || entry.type === 'sleep.withdrawn') open.delete(entry.id);
    if (entry.type === 'step.completed' || entry.type === 'step.failed') open.delete(entry.call);
  }
  return [...open.values()][0];
};
