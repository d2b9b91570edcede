/** Runs that continue an execution from its journal: after a loss of the process, after a hibernation, and on a retry. */
import { isRepeated } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Served } from '../builders/served.ts';
import { Failure } from '../errors.ts';
import type { Driver, Execution } from '../executions/execution.ts';
import { journalOf, type Store } from '../store/store.ts';
import { Run } from './run.ts';
import type { RunDeps } from './run-calls.ts';

export interface ContinuedRunsDeps {
  readonly store: Store;
  readonly served: Served;
  readonly run: RunDeps;
  /** Whether new work is accepted. */
  isAccepting(): boolean;
}

export class ContinuedRuns {
  readonly #deps: ContinuedRunsDeps;

  constructor(deps: ContinuedRunsDeps) {
    this.#deps = deps;
  }

  /** A run that replays from the journal. Throws if there is no run slot or builder for it at the moment. */
  drive(execution: Execution): Driver | undefined {
    const { store, served, run, isAccepting } = this.#deps;
    const { request, recover, version: startedWith } = execution.origin;
    const { workflow, version = startedWith } = execution.context;
    const page = journalOf(store, execution.id);
    if (request === undefined || page === undefined) return undefined;
    const { entries } = page;
    const past = sinceContinued(entries);
    const continued = past === entries ? undefined : entries[entries.length - past.length - 1];
    if (recover === 'fail' && continued === undefined) return undefined;
    if (!isAccepting()) return undefined; // the next process will
    const builders = served.find(workflow, version ?? startedWith);
    if (builders === undefined) return this.#unserved(execution, version ?? startedWith);
    const lease = builders.lease(request.by.userId);
    lease.whenReady((failure) => {
      if (failure !== undefined) execution.postpone(failure);
    });
    const [started] = entries;
    const begun = continued ?? started;
    const input = begun !== undefined && 'input' in begun ? begun.input : undefined;
    return new Run(execution, { ...request, input }, builders.workflow, lease, run, undefined, {
      entries: past,
      isTruncated: (page.truncatedThrough ?? 0) > (continued?.seq ?? 0),
    });
  }

  /** Another process that serves its version goes on with it. */
  #unserved(execution: Execution, version: string): undefined {
    const { store, served } = this.#deps;
    const { workflow } = execution.context;
    const newest = served.find(workflow)?.workflow.version;
    const { cluster } = store.archive ?? {};
    if (cluster === undefined) this.#block(execution, version, newest);
    else {
      cluster.handOver(execution.id, { workflow, version }, newest !== undefined).then(
        (isOver) => isOver || this.#block(execution, version, newest),
        (err) => execution.postpone(Failure.from(err)),
      );
    }
  }

  /** It waits until its version is served, or until its owner or an operator retries it with the served version. */
  #block(execution: Execution, version: string, newest: string | undefined): void {
    if (newest === undefined) return;
    const { workflow } = execution.context;
    const expected = `version ${version} of workflow ${workflow}`;
    const came = `version ${newest}, and no other`;
    execution.mention({ type: 'execution.blocked', expected, came, version: newest });
  }

  /**
   * Retries a blocked execution, with the newest version of its workflow if its own is not served. Resolves once that
   * is committed; false if it is not blocked.
   */
  async retry(execution: Execution): Promise<boolean> {
    const { workflow } = execution.context;
    return execution.retry(this.#isServed(execution) ? undefined : this.#deps.served.get(workflow).workflow.version);
  }

  /** Retries a blocked execution if its own version is served. */
  retryServed(execution: Execution): void {
    if (!this.#isServed(execution)) return;
    const kept = execution.retry();
    if (typeof kept !== 'boolean') kept.catch(() => {});
  }

  #isServed({ context: { workflow, version }, origin }: Execution): boolean {
    return this.#deps.served.find(workflow, version ?? origin.version) !== undefined;
  }

  /** Number of replays since its last progress. */
  recoveriesOf({ id }: Execution): number {
    const { entries } = journalOf(this.#deps.store, id) ?? { entries: [] };
    const since = entries.slice(entries.findLastIndex((entry) => !isRepeated(entry)) + 1);
    return since.filter(({ type }) => type === 'execution.recovered').length;
  }
}

/** Facts since the function restarted. */
const sinceContinued = (entries: readonly JournalEntry[]): readonly JournalEntry[] => {
  const index = entries.findLastIndex(({ type }) => type === 'execution.continued');
  return index < 0 ? entries : entries.slice(index + 1);
};
