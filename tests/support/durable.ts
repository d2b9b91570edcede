/** A runtime that keeps its executions in a directory, and can be lost and opened again. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Execution } from '../../runtime/executions/execution.ts';
import {
  type Caller,
  createRuntime,
  DurableStore,
  defaults,
  type Log,
  type RuntimeSetup,
  type Store,
  silentLog,
  type Workflow,
} from '../../runtime/index.ts';
import { alice, turns } from './given.ts';
import { engineOf, immediate } from './in-process.ts';
import { RestartableWorld } from './restartable-world.ts';
import { type StartOptions, start } from './start.ts';

export const temporaryDirectory = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

export const openStore = (path: string, more: { secret?: string; maxJournalFacts?: number } = {}) => {
  const { maxJournalFacts, maxJournalBytes, parkedTimeoutMs } = defaults;
  return DurableStore.open({
    directory: path,
    maxDataBytes: 1e9,
    maxJournalFacts,
    maxJournalBytes,
    parkedTimeoutMs,
    ...more,
  });
};

export interface DurableSetup extends Omit<RuntimeSetup, 'workflows' | 'store' | 'clock' | 'log'> {
  /** What the runtime gets in place of the store. */
  readonly behind?: (store: DurableStore) => Store;
  readonly secret?: string;
  readonly maxJournalFacts?: number;
}

/** One process after the other on the same directory; time goes on from one to the next. */
export class DurableWorld extends RestartableWorld {
  readonly directory: string;
  /** What was logged: the message, and its fields. */
  readonly logged: (object & { readonly message?: string })[] = [];
  store!: DurableStore;
  readonly #setup: DurableSetup;
  private constructor(path: string, setup: DurableSetup) {
    super();
    this.directory = path;
    this.#setup = setup;
  }

  static async open(t: TestContext, workflows: readonly Workflow[], setup: DurableSetup = {}): Promise<DurableWorld> {
    const world = new DurableWorld(temporaryDirectory(t), setup);
    await world.open(...workflows);
    t.after(() => world.stop());
    return world;
  }

  async open(...workflows: Workflow[]): Promise<void> {
    const { secret, maxJournalFacts, behind, ...setup } = this.#setup;
    const limits = {
      ...(secret !== undefined && { secret }),
      ...(maxJournalFacts !== undefined && { maxJournalFacts }),
    };
    this.store = await openStore(this.directory, limits);
    const store = behind?.(this.store) ?? this.store;
    this.runtime = await createRuntime({ ...setup, workflows, store, clock: this.clock, log: this.#log });
    await this.quiet();
  }

  /** Resolves when everything has happened that can without time. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      await turns(20);
      await this.store.forget('unknown'); // earlier writes are done then
    }
  }

  async start(options: StartOptions): Promise<string> {
    const { execution } = await start(this.runtime, options);
    await this.quiet();
    return execution.id;
  }

  async answer(id: string, place = 0, text = 'yes', by: Caller = alice): Promise<void> {
    const pause = this.get(id).context.pauses[place]!;
    await this.runtime.answer(id, pause.id, { kind: 'text', text }, by);
    await this.quiet();
  }

  get(id: string): Execution {
    return immediate(engineOf(this.runtime).executions.get(id))!;
  }

  isInMemory(id: string): boolean {
    return engineOf(this.runtime).executions.inMemory(id) !== undefined;
  }

  facts(id: string): string[] {
    return this.store.read(id)?.entries.map(({ type }) => type) ?? [];
  }

  readonly #log: Log = {
    ...silentLog,
    info: (fields, message) => void this.logged.push({ ...fields, message }),
    warn: (fields, message) => void this.logged.push({ ...fields, message }),
    error: (fields, message) => void this.logged.push({ ...fields, message }),
  };
}
