/**
 * Suspects: executions that were running more than once when the process died. One of them may cause the crashes.
 *
 * T1  Suspects are replayed one at a time, after all others, those with the fewest attempts first. A turn ends with
 *     progress, or after a time that doubles with each failed replay.
 * T2  Before a turn begins, the store records that the execution has its turn, and which others are running. If the process
 *     dies then, it counts against this execution only, whichever process recovers it.
 * T3  An execution is ended after a number of its turns, and only if no other execution was running in all of them.
 */
import { isRepeated } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import type { Vault } from '../store/vault.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';

export interface TrialsDeps {
  readonly vault: Vault;
  readonly executions: Executions;
  readonly wheel: TimingWheel;
  readonly now: () => number;
  readonly maxRecoveries: number;
  /** Number of replays since its last progress. */
  recoveriesOf(execution: Execution): number;
}

/** `beside`: executions that were running in all turns in which the process died. `turn`: it has its turn now. */
type Record = { readonly turns: number; readonly beside: readonly string[]; readonly turn?: Turn };
type Turn = { readonly at: number; readonly beside: readonly string[] };
type Suspect = { readonly id: string; readonly recoveries: number; readonly turns: number };

const KIND = 'recovery';
const NONE: Record = { turns: 0, beside: [] };
const TURN_MS = 5_000;
const MAX_DOUBLED = 8;

export class Trials {
  readonly #deps: TrialsDeps;
  readonly #suspects: Suspect[] = [];
  /** What is recorded about suspects. */
  readonly #records = new Map<string, Record>();
  /** Ids of executions that had their turn in this process: they no longer count as running beside another. */
  readonly #tried = new Set<string>();
  #current: string | undefined;
  #timer: WheelTimer | undefined;
  #isStopped = false;

  constructor(deps: TrialsDeps) {
    this.#deps = deps;
  }

  /**
   * Reads what is recorded about the suspects among these executions, which were running when their process died. One whose record
   * cannot be read now has none: it is recovered all the same.
   */
  open(unfinished: readonly Execution[]): Awaitable<void> {
    const { vault, recoveriesOf } = this.#deps;
    const reading: Promise<void>[] = [];
    for (const execution of unfinished) {
      if (recoveriesOf(execution) === 0) continue;
      const { id } = execution;
      const read = andThen(vault.get(KIND, id), (text) => this.#read(id, text, unfinished));
      if (read instanceof Promise) reading.push(read.catch(() => {}));
    }
    return reading.length === 0 ? undefined : Promise.all(reading).then(() => {});
  }

  #read(id: string, text: string | undefined, unfinished: readonly Execution[]): void {
    const record = parsed(text);
    if (record?.turn === undefined) {
      if (record !== undefined) this.#records.set(id, record);
      return;
    }
    const { turn, turns } = record;
    const since = unfinished.filter(({ context }) => context.startedAt >= turn.at).map(({ id }) => id);
    const beside = [...turn.beside, ...since].filter((other) => other !== id);
    const always = turns === 0 ? beside : record.beside.filter((other) => beside.includes(other));
    this.#write(id, { turns: turns + 1, beside: always });
  }

  /** True if it waits for its turn, or is ended: it is not replayed with the others. */
  takes(execution: Execution): boolean {
    const { recoveriesOf, maxRecoveries } = this.#deps;
    const { id } = execution;
    const recoveries = recoveriesOf(execution);
    const { turns, beside } = this.#records.get(id) ?? NONE;
    if (recoveries === 0) return false;
    if (turns >= maxRecoveries && beside.length === 0) {
      this.#forget(id);
      execution.interrupt(`The process died ${turns} times while this execution was executed again and no other was.`);
    } else this.#suspects.push({ id, recoveries, turns });
    return true;
  }

  /** All other executions were resumed. */
  begin(): void {
    this.#suspects.sort((a, b) => a.turns - b.turns || a.recoveries - b.recoveries);
    this.#next();
  }

  stop(): void {
    this.#isStopped = true;
    this.#end();
  }

  /** A fact of an execution may end its turn. */
  told({ id }: Execution, entry: JournalEntry): void {
    if (id !== this.#current || isRepeated(entry)) return;
    this.#forget(id);
    this.#end();
    setImmediate(() => this.#next());
  }

  #next(): void {
    const { executions, wheel, now } = this.#deps;
    if (this.#isStopped || this.#current !== undefined) return;
    const suspect = this.#suspects.shift();
    if (suspect === undefined) return;
    const { id, recoveries } = suspect;
    this.#current = id;
    this.#tried.add(id);
    const length = TURN_MS * 2 ** Math.min(recoveries - 1, MAX_DOUBLED);
    this.#timer = wheel.schedule(now() + length, () => {
      this.#end();
      this.#next();
    });
    try {
      const execution = executions.get(id);
      if (!(execution instanceof Promise)) this.#try(id, execution);
      else execution.then((found) => this.#try(id, found)).catch(() => this.#skip(id));
    } catch {
      this.#skip(id);
    }
  }

  #try(id: string, execution: Execution | undefined): void {
    if (this.#isStopped || this.#current !== id) return; // its turn was over before it could be read
    if (execution === undefined || execution.isSettled) throw new Error('it has ended meanwhile');
    const { turns, beside } = this.#records.get(id) ?? NONE;
    this.#write(id, { turns, beside, turn: { at: this.#deps.now(), beside: this.#beside() } });
    execution.recover(); // committed together with the vault, and replayed after that
  }

  /** It has ended, or cannot be read or written at the moment. */
  #skip(id: string): void {
    if (this.#current !== id) return;
    this.#end();
    setImmediate(() => this.#next());
  }

  /** Executions that are running now, and have not had a turn. */
  #beside(): string[] {
    const all = this.#deps.executions.all();
    const isBeside = ({ id, phase, isElsewhere }: Execution) =>
      phase === 'executing' && !isElsewhere && !this.#tried.has(id);
    return all.filter(isBeside).map(({ id }) => id);
  }

  #end(): void {
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    this.#timer = undefined;
    const id = this.#current;
    this.#current = undefined;
    const { turns, beside, turn } = (id !== undefined && this.#records.get(id)) || NONE;
    if (id === undefined || turn === undefined) return;
    if (turns === 0) this.#forget(id);
    else attempt(() => this.#write(id, { turns, beside }));
  }

  #write(id: string, record: Record): void {
    void this.#deps.vault.put(KIND, id, JSON.stringify(record));
    this.#records.set(id, record);
  }

  #forget(id: string): void {
    if (this.#records.delete(id)) attempt(() => void this.#deps.vault.remove(KIND, id));
  }
}

const parsed = (text: string | undefined): Record | undefined => {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Record);
  } catch {
    return undefined;
  }
};

/** While nothing can be written, the turn stays unchanged. */
const attempt = (act: () => void): void => {
  try {
    act();
  } catch {}
};
