/**
 * The run of a workflow: the driver of an execution.
 *
 * R1  A run works only while its execution is executing, that is, while it holds a slot.
 * R2  Each fact that wakes the run is delivered in a separate turn of the event loop, in the order of the journal. The
 *     start is such a turn too. So the same facts cause the same calls, in every replay.
 * R3  Once the execution has settled, for any reason, the run has no effects, and all its waits reject, so that its
 *     `finally` blocks run.
 * R4  A run may be detached from its execution before the end, and another run replays from the journal. The first run
 *     then has no effects; its waits never settle, and it is garbage collected with all its frames.
 * R5  Until it has repeated all calls of its journal, it has no effects and records nothing new. If it cannot repeat
 *     them, the execution is blocked.
 * R6  An execution waits only when all branches of its run do. So a fact that opens a pause says whether another branch
 *     has work, and the execution is parked when that work is done. After a loss of the process at any time, the next
 *     run does the work, although the pause is still open.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Phase } from '../../machines/standing.ts';
import type { Workflow } from '../authoring/workflow.ts';
import type { Lease } from '../builders/builder.ts';
import { type SlotHolder, SlotRequest } from '../builders/slots.ts';
import type { Driver, Execution } from '../executions/execution.ts';
import type { RunRequest } from '../journal/start-request.ts';
import { type PauseFact, wakes } from './calls.ts';
import type { Past } from './catch-up.ts';
import { FunctionCall } from './function-call.ts';
import { ended, RunCalls, type RunDeps } from './run-calls.ts';
import type { Strayed } from './strays.ts';
import { runAt } from './thread.ts';
import type { TurnTaker } from './turns.ts';

export class Run extends RunCalls implements Driver, SlotHolder, TurnTaker, Strayed {
  readonly #lease: Lease;
  readonly #function: FunctionCall;
  #slot: SlotRequest | undefined;
  #isStarted = false;
  #abort: AbortController | undefined;
  /** Facts that wake it, and are applied and not published yet. */
  #wakesToCome = 0;

  constructor(
    execution: Execution,
    asked: RunRequest,
    workflow: Workflow,
    lease: Lease,
    deps: RunDeps,
    read?: { readonly value: unknown },
    past?: Past,
  ) {
    super(execution, asked, workflow, deps, past);
    this.#lease = lease;
    this.#function = new FunctionCall(this, read);
  }

  get isReplaceable(): boolean {
    return this.workflow.recover === 'replay';
  }

  told(entry: JournalEntry | undefined, told: Phase): void {
    if (this.over === 'left') return; // R4
    // Facts that were applied before the slot was granted or returned may be published after it.
    const isHeld = this.#slot?.state === 'held';
    const phase = told === 'queued' && isHeld ? 'executing' : told === 'executing' && !isHeld ? 'waiting' : told;
    this.phase = phase;
    const isNew = entry !== undefined && entry.seq > (this.past?.through ?? 0); // a replay knows the fact that caused it
    if (isNew && wakes(entry) !== undefined) {
      if (this.#wakesToCome > 0) this.#wakesToCome -= 1;
      this.waits.push(entry);
    }
    if (phase === 'queued') this.#requestSlot();
    else if (phase === 'executing') this.stir();
    else this.#giveSlotBack();
    if (phase === 'settled') this.#end(entry?.type === 'execution.completed');
    else if (phase === 'waiting') this.#resume();
  }

  /**
   * The fact that resumed it was published only when all branches waited, including the one that it wakes: there is
   * work nevertheless.
   */
  #resume(): void {
    if (this.#isStarted && this.#hasWork && !this.execution.applied.context.working)
      this.execution.mention({ type: 'execution.resumed' });
  }

  applied(entry: JournalEntry, phase: Phase): void {
    if (wakes(entry) !== undefined) this.#wakesToCome += 1;
    if (phase === 'waiting' || phase === 'settled') this.#giveSlotBack();
  }

  protected override get isWorking(): boolean {
    return this.#hasWork || this.#wakesToCome > 0 || this.lookups > 0;
  }

  /** R4 */
  leave(): void {
    if (this.over !== undefined) return;
    this.over = 'left';
    this.#caughtUp();
    this.#giveSlotBack();
    this.#lease.cancel();
    if (this.phase === 'executing') this.#signalEnd();
    this.waits.clear();
  }

  slotGranted(): void {
    this.execution.mention({ type: 'slot.granted', at: 0, seq: undefined });
  }

  override get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.over !== undefined || this.execution.hasEnded) this.#abort.abort(ended());
    }
    return this.#abort.signal;
  }

  strayed(err: unknown, how: 'rejection' | 'exception'): void {
    const { id: executionId, context } = this.execution;
    const fields = { executionId, workflow: context.workflow, err };
    this.deps.log.error(
      fields,
      how === 'rejection'
        ? 'a promise of a run was rejected, and the workflow neither awaited nor caught it'
        : 'a callback of a run threw, and nothing caught it',
    );
  }

  override get functionId(): string | undefined {
    return this.#function.stepId;
  }

  protected override onEmitted(value: unknown): void {
    this.#function.emitted(value);
  }

  override get resources(): unknown {
    return this.#lease.builder.resources;
  }

  override continueAs(input: unknown): void {
    this.once('continueAs', () => {
      if (this.over !== undefined) return;
      for (const { pause } of this.waits.open) this.#abandon(pause);
      this.execution.mention({ type: 'execution.continued', input });
      this.leave();
    });
  }

  #requestSlot(): void {
    if (this.#slot !== undefined) return;
    const slot = new SlotRequest(this);
    this.#slot = slot;
    this.#lease.builder.slots.request(slot);
  }

  #giveSlotBack(): void {
    if (this.#slot === undefined) return;
    const slot = this.#slot;
    this.#slot = undefined;
    this.#lease.builder.slots.release(slot);
  }

  get #isReady(): boolean {
    return this.phase === 'executing' && this.#hasWork;
  }

  get #hasWork(): boolean {
    if (this.over !== undefined) return false;
    if (!this.#isStarted) return true;
    const catchUp = this.catchUp;
    if (catchUp === undefined) return this.waits.isWoken;
    return catchUp.replay.isReady || this.waits.isAnyWoken(catchUp.again);
  }

  protected override stir(): void {
    if (this.over !== undefined) return;
    this.catchUp?.progressed();
    if (this.catchUp?.replay.isOver && this.#isStarted) this.#caughtUp();
    if (this.phase === 'executing' && this.starting !== undefined) this.#beginSteps(this.starting);
    if (this.#isReady) this.deps.turns.add(this);
    else if (this.phase === 'waiting') this.#resume();
  }

  #beginSteps(starting: readonly (() => void)[]): void {
    this.starting = undefined;
    for (const go of starting) go();
  }

  hasTurn = false;

  /** R2 */
  turn(): void {
    if (!this.#isReady) return;
    this.isInTurn = true;
    this.refusals?.rested();
    if (!this.#isStarted) {
      this.#start();
      return;
    }
    if (this.catchUp === undefined) {
      this.waits.wakeNext();
      return;
    }
    const { replay, again } = this.catchUp;
    const wake = replay.nextWake();
    if (wake === undefined) this.waits.wakeNext(again);
    else this.waits.wake(wakes(wake)!, wake);
    if (replay.isOver) this.#caughtUp();
  }

  endTurn(): boolean {
    this.isInTurn = false;
    if (this.over !== undefined) return false;
    this.stir();
    if (this.#isReady) return true;
    this.catchUp?.watch();
    this.parkSoon();
    return false;
  }

  protected override parkSoon(): void {
    if (!this.#canPark) return;
    const { working, pauses } = this.execution.applied.context; // a pause without `working` has parked it
    if (working && pauses.length > 0) setImmediate(park, this);
  }

  park(): void {
    if (this.#canPark && !this.isWorking) this.execution.mention({ type: 'execution.parked' });
  }

  /** A replay parks only for a consent that it asks for again. */
  get #canPark(): boolean {
    const isCaughtUp = this.catchUp === undefined || this.catchUp.again.size > 0;
    return this.over === undefined && this.phase === 'executing' && isCaughtUp;
  }

  #start(): void {
    this.#isStarted = true;
    this.#function.begin();
    if (this.catchUp?.replay.isOver) this.#caughtUp();
  }

  #caughtUp(): void {
    const held = this.catchUp?.end();
    this.catchUp = undefined;
    if (this.over !== undefined) return;
    for (const { act } of held ?? []) act();
    if (!this.isInTurn) this.parkSoon();
  }

  /** R3 */
  #end(success: boolean): void {
    if (this.over !== undefined) return;
    this.over = 'ended';
    this.#caughtUp();
    this.#lease.end(success);
    for (const waiting of this.waits.clear()) {
      this.#abandon(waiting.pause);
      waiting.reject(ended());
    }
    this.starting = undefined;
    this.#signalEnd();
    this.#function.end();
  }

  #abandon(pause: PauseFact | undefined): void {
    if (pause?.type === 'oauth.requested') this.deps.oauth.abandon(pause.id);
  }

  /** On a thread of the run, so that errors of listeners belong to the run. */
  #signalEnd(): void {
    runAt(this, () => this.#abort?.abort(ended()));
  }
}

const park = (run: Run): void => run.park();
