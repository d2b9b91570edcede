/** One process after the other on a disk in memory: a process is lost after a commit, or its commit fails. */

import { createRuntime, type Runtime, type Workflow } from '../../runtime/index.ts';
import { type Disk, DiskStore, type Faults } from '../../testing/disk.ts';
import { engineOf } from './in-process.ts';
import type { SimulatedClock } from './simulated-clock.ts';

const BANK = {
  clientId: 'fermata',
  authorizationUrl: 'https://bank.test/authorize',
  tokenUrl: 'https://bank.test/token',
  redirectUri: 'https://fermata.test/auth/redirect',
};

export const bankCallback = (authUrl: string): URL =>
  new URL(`${BANK.redirectUri}?state=${new URL(authUrl).searchParams.get('state')}&code=code`);

export const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

export interface DiskProcessSetup {
  readonly disk: Disk;
  readonly served: Workflow;
  readonly clock: SimulatedClock;
  readonly commitTurns?: number;
  /** It is lost after the commit of this fact. Facts of one turn are committed together. */
  readonly lastFact?: number;
  /** The first commit with this fact fails. */
  readonly failingFact?: number;
  /** The answer of the bank to a request for a token. */
  readonly token?: object;
}

export class DiskProcess implements Faults {
  readonly store: DiskStore;
  runtime!: Runtime;
  readonly #setup: DiskProcessSetup;
  isLost = false;
  #hasFailed = false;

  private constructor(setup: DiskProcessSetup) {
    this.#setup = setup;
    this.store = new DiskStore(setup.disk, setup.commitTurns ?? 0, this);
  }

  static async open(setup: DiskProcessSetup): Promise<DiskProcess> {
    const opened = new DiskProcess(setup);
    const { served, clock, token } = setup;
    const fetch = async (): Promise<Response> => {
      await turns(2);
      return Response.json(token);
    };
    const { store } = opened;
    opened.runtime = await createRuntime({ workflows: [served], store, clock, providers: { bank: BANK }, fetch });
    return opened;
  }

  /** Resolves when nothing happens by itself any more, or the process is lost. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 80 && !this.isLost; turn += 1) {
      await turns(1);
      if (turn === 20) this.#setup.clock.advance(10);
    }
  }

  async stop(): Promise<void> {
    const stopped = this.runtime.stop();
    this.#setup.clock.advance(this.runtime.options.stopTimeoutMs);
    await stopped;
  }

  lostAfter(through: number): number | undefined {
    return through >= (this.#setup.lastFact ?? Number.POSITIVE_INFINITY) ? through : undefined;
  }

  fails(first: number, through: number): boolean {
    const { failingFact = Number.POSITIVE_INFINITY } = this.#setup;
    if (this.#hasFailed || failingFact < first || failingFact > through) return false;
    this.#hasFailed = true;
    return true;
  }

  refuses(): boolean {
    return false;
  }

  lost(): void {
    this.isLost = true;
    this.store.isClosed = true;
    engineOf(this.runtime).wheel.stop();
  }
}
