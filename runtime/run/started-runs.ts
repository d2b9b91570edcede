/** Starts executions and their first runs. The same name starts one execution only. */
import type { ExecutionInput } from '../../machines/execution.ts';
import { readInput } from '../authoring/workflow.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import type { Lease } from '../builders/builder.ts';
import type { Served } from '../builders/served.ts';
import { Failure } from '../errors.ts';
import type { Driver, Execution, NewFact } from '../executions/execution.ts';
import type { Executions } from '../executions/executions.ts';
import { type Names, namesOf, withConversation } from '../executions/names.ts';
import { heapBytesOf } from '../executions/record-bytes.ts';
import type { Name, Origin, StartRequest } from '../journal/start-request.ts';
import { copyJson, toJson } from '../json.ts';
import { NameTaken } from '../store/store.ts';
import { Run } from './run.ts';
import type { RunDeps } from './run-calls.ts';

/** `isNew`: false if a request with the same name has started it before. */
export type Begun = { readonly execution: Execution; readonly isNew: boolean };

export interface StartedRunsDeps {
  readonly retentionMs: number;
  readonly served: Served;
  readonly names: Names;
  readonly executions: Executions;
  readonly run: RunDeps;
  /** Throws if no new work is accepted. */
  refuseIfDraining(): void;
  /** Makes room for a record of this size in memory. Throws `queue_full` if there is none. */
  reserve(bytes: number): void;
  /** An execution in memory, with the start of its actor. `bytes`: the size of its record. */
  create(started: Pick<ExecutionInput, 'workflow' | 'owner' | 'form'>, origin: Origin, bytes: number): Execution;
  /** Its start was not committed: it leaves memory. */
  drop(execution: Execution): void;
}

/** Bytes in the journal, in the request, and in the input of the run. */
const COPIES_OF_INPUT = 3;

/** The origin of executions that a program drives. */
const OUTSIDE = { request: undefined, recover: 'fail', version: '', names: [] } as const;

export class StartedRuns {
  readonly #deps: StartedRunsDeps;

  constructor(deps: StartedRunsDeps) {
    this.#deps = deps;
  }

  /**
   * Starts an execution; its start is committed then. A run of a session shares the session's lease. Rejects like
   * `Runtime.start`.
   */
  begin(request: StartRequest, session?: Lease): Awaitable<Begun> {
    try {
      const names = namesOf(request);
      const found = this.#startedBefore(names);
      if (!(found instanceof Promise)) return this.#beginOnce(found, names, request, session);
      return found.then((known) => this.#beginOnce(known ?? this.#startedMeanwhile(names), names, request, session));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * An execution without a workflow, whose driver does its work. Resolves once its start is committed. Rejects with
   * `draining`.
   */
  async adopt(owner: string | null, drivenBy: (execution: Execution) => Driver): Promise<Execution> {
    const { refuseIfDraining, create, retentionMs } = this.#deps;
    refuseIfDraining();
    const started = { workflow: 'external', owner, form: null };
    const execution = create(started, { ...OUTSIDE, retentionMs }, 0);
    execution.driver = drivenBy(execution);
    await execution.begin({ type: 'execution.started', ...started, input: null });
    return execution;
  }

  #startedBefore(names: readonly Name[], from = 0): Awaitable<Execution | undefined> {
    const { names: known, executions } = this.#deps;
    for (let index = from; index < names.length; index += 1) {
      const found = andThen(known.find(names[index]!), (id) => id && executions.get(id));
      if (found instanceof Promise) {
        return found.then((execution) => execution || this.#startedBefore(names, index + 1));
      }
      if (found) return found;
    }
    return undefined;
  }

  /** While the store was asked for its names. */
  #startedMeanwhile(names: readonly Name[]): Execution | undefined {
    const ids = names.flatMap((name) => this.#deps.names.inMemory(name) ?? []);
    return ids.map((id) => this.#deps.executions.inMemory(id)).find((execution) => execution !== undefined);
  }

  #beginOnce(
    known: Execution | undefined,
    names: readonly Name[],
    request: StartRequest,
    session: Lease | undefined,
  ): Awaitable<Begun> {
    if (known !== undefined) return andThen(known.keeping, () => ({ execution: known, isNew: false }));
    this.#deps.refuseIfDraining();
    const builders = this.#deps.served.get(request.workflow);
    const { read } = request;
    // The run may change its input, so the stored input is a separate copy.
    const input = jsonInput(request.input);
    if (read === undefined && builders.workflow.input !== undefined) {
      const reading = readInput(builders.workflow, copyJson(input));
      return reading.then((value) => this.begin({ ...request, read: { value } }, session));
    }
    const { payload } = request.request;
    // A message on a socket, or a chat, holds more than the input that was made of it.
    const bytes = heapBytesOf(input) * COPIES_OF_INPUT + (payload === request.input ? 0 : heapBytesOf(payload));
    this.#deps.reserve(bytes);
    const lease = session?.share() ?? builders.lease(request.by.userId);
    try {
      lease.builder.slots.refuseIfFull();
    } catch (error) {
      lease.cancel();
      throw error;
    }
    const { workflow, retentionMs = this.#deps.retentionMs } = request;
    const { version, recover } = builders.workflow;
    const owner = request.by.userId ?? null;
    const form = request.form ?? null;
    const origin = { request, recover, version, retentionMs, names: withConversation(names, request) };
    const execution = this.#deps.create({ workflow, owner, form }, origin, bytes);
    const given = read ?? { value: copyJson(input) };
    execution.driver = new Run(execution, request, builders.workflow, lease, this.#deps.run, given);
    try {
      const committed = execution.begin(
        input === undefined
          ? { type: 'execution.started', at: 0, seq: undefined, workflow, owner, form }
          : { type: 'execution.started', at: 0, seq: undefined, workflow, owner, form, input },
      );
      lease.whenReady((failure) => {
        if (failure !== undefined) execution.mention(buildFailed(failure));
      });
      if (committed === true) return { execution, isNew: true };
      return committed.then(
        () => ({ execution, isNew: true }),
        (error) => this.#notBegun(error, execution, lease, request, session),
      );
    } catch (error) {
      return this.#notBegun(error, execution, lease, request, session);
    }
  }

  #notBegun(
    error: unknown,
    execution: Execution,
    lease: Lease,
    request: StartRequest,
    session: Lease | undefined,
  ): Awaitable<Begun> {
    lease.cancel();
    this.#deps.drop(execution);
    if (error instanceof NameTaken) return this.begin(request, session); // now it is found by its name
    throw error;
  }
}

/** A copy of the input, as it is journaled. Every replay gets its input from it. Throws `input_invalid`. */
const jsonInput = (input: unknown): unknown => {
  if (input === undefined) return undefined; // a missing input is still missing after it was read again
  try {
    return toJson(input, 'The input');
  } catch (error) {
    throw new Failure('input_invalid', { detail: (error as Error).message });
  }
};

const buildFailed = ({ message, name }: Failure): NewFact => ({
  type: 'execution.failed',
  error: { code: 'build_failed', message, name },
});
