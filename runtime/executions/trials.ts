/**
 * Suspects: executions that were running more than once when the process died. One of them may cause the crashes.
 *
 * T1  Suspects are replayed one at a time, after all others, those with the fewest attempts first. A turn ends with
 *     progress, or after a time that doubles with each failed replay.
 * T2  Before a turn begins, the file records whose turn it is, and which others are running. If the process dies then,
 *     it counts against this execution only.
 * T3  An execution is ended after a number of its turns, and only if no other execution was running in all of them.
 */
import { isRepeated } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
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

type Turn = { readonly id: string; readonly at: number; readonly beside: readonly string[] };
type Record = { readonly turns: number; readonly beside: readonly string[] };
type Suspect = { readonly id: string; readonly recoveries: number; readonly turns: number };

const KIND = 'recovery';
const TURN = 'turn';
const TURN_MS = 5_000;
const MAX_DOUBLED = 8;

export class Trials {
  readonly #deps: TrialsDeps;
  readonly #suspects: Suspect[] = [];
  /** Ids of executions that had their turn in this process: they no longer count as running beside another. */
  readonly #tried = new Set<string>();
  #current: string | undefined;
  #timer: WheelTimer | undefined;
  #isStopped = false;

  constructor(deps: TrialsDeps) {
    this.#deps = deps;
  }

  /**
   * Reads the record of the earlier process: whose turn it was when it died. `unfinished`: the executions that were
   * running.
   */
  open(unfinished: readonly Execution[]): void {
    const { vault } = this.#deps;
    const turn = read<Turn>(vault.get(KIND, TURN));
    if (turn === undefined) return;
    const since = unfinished.filter(({ context }) => context.startedAt >= turn.at).map(({ id }) => id);
    const beside = [...turn.beside, ...since].filter((id) => id !== turn.id);
    const before = this.#recordOf(turn.id);
    const always = before === undefined ? beside : before.beside.filter((id) => beside.includes(id));
    vault.put(KIND, turn.id, JSON.stringify({ turns: (before?.turns ?? 0) + 1, beside: always } satisfies Record));
    vault.remove(KIND, TURN);
  }

  /** True if it waits for its turn, or is ended: it is not replayed with the others. */
  takes(execution: Execution): boolean {
    const { recoveriesOf, maxRecoveries } = this.#deps;
    const { id } = execution;
    const recoveries = recoveriesOf(execution);
    const { turns, beside } = this.#recordOf(id) ?? { turns: 0, beside: [] };
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
    const { vault, now } = this.#deps;
    if (this.#isStopped || this.#current !== id) return; // its turn was over before it could be read
    if (execution === undefined || execution.isSettled) throw new Error('it has ended meanwhile');
    vault.put(KIND, TURN, JSON.stringify({ id, at: now(), beside: this.#beside() } satisfies Turn));
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
    const { wheel, vault } = this.#deps;
    if (this.#timer !== undefined) wheel.cancel(this.#timer);
    this.#timer = undefined;
    if (this.#current === undefined) return;
    this.#current = undefined;
    attempt(() => vault.remove(KIND, TURN));
  }

  #forget(id: string): void {
    if (this.#recordOf(id) !== undefined) attempt(() => this.#deps.vault.remove(KIND, id));
  }

  #recordOf(id: string): Record | undefined {
    return read<Record>(this.#deps.vault.get(KIND, id));
  }
}

const read = <T>(text: string | undefined): T | undefined => {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
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
