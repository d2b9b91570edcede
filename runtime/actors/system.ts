/** The actor system: the manager at its root, two supervisors below it, and the timing wheel for all their timers. */
import { type ActorRefFrom, createActor, fromPromise, type Snapshot, waitFor } from 'xstate';
import { type BuilderInput, builderMachine } from '../../machines/builder.ts';
import { type ExecutionInput, type ExecutionSnapshot, executionMachine } from '../../machines/execution.ts';
import type { ExecutionEvent } from '../../machines/facts.ts';
import { managerMachine } from '../../machines/manager.ts';
import type { Log } from '../authoring/context.ts';
import type { Builder } from '../builders/builder.ts';
import type { Builders } from '../builders/pool.ts';
import { tabulate } from '../journal/tabulate.ts';
import type { Clock } from '../time/clock.ts';
import { TimingWheel } from '../time/timing-wheel.ts';
import { installScheduler } from './scheduler.ts';
import { startChild, stopChild, supervisor } from './supervisor.ts';

const executionLogic = tabulate(executionMachine);

/** Folds an event without an actor: for settled executions, and for facts of the past. */
export const foldEvent = (snapshot: ExecutionSnapshot, event: ExecutionEvent): ExecutionSnapshot =>
  executionLogic.transition(snapshot, event, undefined as never);

/** The initial state of an execution. */
export const firstSnapshot = (input: ExecutionInput): ExecutionSnapshot =>
  executionLogic.getInitialSnapshot(undefined as never, input);

export interface ActorTreeDeps {
  readonly clock: Clock;
  readonly log: Log;
  prepare(): Promise<void>;
  settleExecutions(): Promise<void>;
  disposeBuilders(): Promise<void>;
}

export class ActorTree {
  readonly wheel: TimingWheel;
  readonly #root: ActorRefFrom<typeof managerMachine>;
  readonly #open = new Map<string, { readonly builder: Builder; readonly builders: Builders }>();
  readonly #builderMachine: typeof builderMachine;

  constructor({ clock, log, ...deps }: ActorTreeDeps) {
    const onError = (err: unknown): void => log.error({ err }, 'a timer failed');
    this.wheel = new TimingWheel({ clock, onError });
    this.#builderMachine = builderMachine.provide({
      actors: {
        build: fromPromise<void, BuilderInput>(async ({ input, signal }) => {
          const { builder, builders } = this.#open.get(input.builderId)!;
          await builders.build(builder, signal);
        }),
        dispose: fromPromise<void, BuilderInput>(async ({ input }) => {
          const { builder, builders } = this.#open.get(input.builderId)!;
          await builders.dispose(builder);
        }),
      },
    });
    const manager = managerMachine.provide({
      actors: {
        executions: supervisor({
          ended: () => {},
          crashed: (executionId, err) => log.error({ executionId, err }, 'the actor of an execution crashed'),
        }),
        builders: supervisor({
          ended: (id) => this.#open.delete(id),
          crashed: (id, err) => {
            this.#open.delete(id);
            log.error({ builderId: id, err }, 'the actor of a builder crashed');
          },
        }),
        prepare: fromPromise<void, undefined>(() => deps.prepare()),
        settleExecutions: fromPromise<void, undefined>(() => deps.settleExecutions()),
        disposeBuilders: fromPromise<void, undefined>(() => deps.disposeBuilders()),
      },
    });
    this.#root = createActor(manager, { id: 'manager' });
    installScheduler(this.#root, this.wheel);
  }

  /** For inspection. */
  get root(): ActorRefFrom<typeof managerMachine> {
    return this.#root;
  }

  /** Whether new executions are accepted. */
  get isAccepting(): boolean {
    return this.#root.getSnapshot().hasTag('accepting');
  }

  /** Resolves when it serves. Rejects with the error of the start, after stopping everything. */
  async start(): Promise<void> {
    this.#root.start();
    const snapshot = await waitFor(this.#root, (now) => !now.matches('starting'), {
      timeout: Number.POSITIVE_INFINITY,
    });
    if (snapshot.matches('serving')) return;
    await this.stop();
    throw snapshot.context.error;
  }

  async stop(): Promise<void> {
    this.#root.send({ type: 'manager.stop' });
    await waitFor(this.#root, ({ status }) => status === 'done', { timeout: Number.POSITIVE_INFINITY });
    this.wheel.stop();
  }

  spawnExecution(
    id: string,
    from: { input: ExecutionInput } | { snapshot: Snapshot<unknown> },
  ): ActorRefFrom<typeof executionMachine> {
    return startChild(this.#supervisor('executions'), id, executionLogic, from) as ActorRefFrom<
      typeof executionMachine
    >;
  }

  /** Removes the actor of a settled execution. */
  release(id: string): void {
    stopChild(this.#supervisor('executions'), id);
  }

  spawnBuilder(builder: Builder, builders: Builders, input: BuilderInput): ActorRefFrom<typeof builderMachine> {
    this.#open.set(builder.id, { builder, builders });
    return startChild(this.#supervisor('builders'), builder.id, this.#builderMachine, { input });
  }

  #supervisor(name: 'executions' | 'builders') {
    return this.#root.getSnapshot().children[name]!;
  }
}
