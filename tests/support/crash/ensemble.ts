/** The plays of a round, performed side by side: in one process up to where it is killed, in the next to their end. */

import assert from 'node:assert/strict';
import type { ExecutionEvent } from '../../../machines/facts.ts';
import { SlotRequest } from '../../../runtime/builders/slots.ts';
import type { DurableStore, ExecutionView, Runtime } from '../../../runtime/index.ts';
import { noRequest, RunTrace } from '../../../runtime/nat/run-metadata.ts';
import { operator, turns } from '../given.ts';
import { engineOf, immediate } from '../here.ts';
import { ACT_MS, callbackUrl, isTimed, reply, settled } from '../play.ts';
import type { SimulatedClock } from '../simulated-clock.ts';
import { isOwn } from './part.ts';
import type { Cue } from './round.ts';
import { TICK_MS } from './timetable.ts';

export interface Scene {
  readonly runtime: Runtime;
  readonly store: DurableStore;
  readonly clock: SimulatedClock;
}

const MOMENT_MS = 100;
const MOMENTS = 10;

/** Holds a slot and does nothing with it. */
const nobody = { slotGranted: () => {} };

export class Ensemble {
  readonly cues: readonly Cue[];
  readonly #scene: Scene;
  /** Epoch milliseconds of act 0. */
  readonly beganAt: number;
  readonly #ids = new Map<Cue, string>();
  /** The one slot of each user, held here until the plan grants it to the execution; free after a crash. */
  readonly #slots = new Map<Cue, SlotRequest>();
  #deeds: Promise<unknown>[] = [];

  constructor(scene: Scene, cues: readonly Cue[], beganAt?: number) {
    this.#scene = scene;
    this.cues = cues;
    const first = Math.min(0, ...cues.map(({ groups }) => groups[0]?.act ?? 0));
    this.beganAt = beganAt ?? scene.clock.now() + (1 - first) * ACT_MS;
  }

  /** All that happens before the process ends. */
  async open(): Promise<void> {
    for (const cue of this.cues) this.#holdSlot(cue);
    await this.start(true);
    await this.#perform((act) => act <= 0);
  }

  /** All that happens after that. `onEnd` is told of each play when it has come to the end of its plan. */
  async goOn(onEnd: (cue: Cue, execution: ExecutionView | undefined) => void): Promise<void> {
    await this.quiet();
    await this.start(false);
    const ended = (act: number) => {
      for (const cue of this.cues)
        if (Math.max(0, cue.groups.at(-1)?.act ?? 0) === act) onEnd(cue, this.execution(cue));
    };
    ended(0);
    await this.#perform((act) => act > 0, ended);
  }

  /** Twice is once: the key of a play stands for its execution, also in another process. */
  async start(isNew: boolean): Promise<void> {
    const started = this.cues.map(async (cue) => {
      const { name } = cue;
      const request = { ...asked, by: { userId: name }, input: name, idempotencyKey: name };
      const start = await this.#scene.runtime.start(request);
      assert.equal(start.isNew, isNew, `${name} was started ${isNew ? 'before' : 'and is not known'}`);
      this.#ids.set(cue, start.execution.id);
    });
    await Promise.all(started);
    await this.quiet();
  }

  execution(cue: Cue): ExecutionView | undefined {
    return immediate(this.#scene.runtime.get(this.#ids.get(cue)!, operator));
  }

  journal(cue: Cue) {
    return this.#scene.store.read(this.#ids.get(cue)!)?.entries ?? [];
  }

  /** What is open gets an answer, steps end, and the run ends when it has heard of that. Who sleeps is woken by time. */
  async finish(): Promise<void> {
    for (const cue of this.cues) {
      const execution = this.execution(cue)!;
      if (execution.isSettled || cue.isAbandoned) continue;
      cue.part.come(cue.plan.facts.length);
      cue.part.endStep(true);
      for (const { id, kind } of execution.context.pauses) {
        if (kind === 'interaction') this.#deeds.push(this.#answer(cue, id));
        if (kind === 'oauth') this.#deeds.push(this.#return(cue, { state: id, code: 'code-1' }));
      }
    }
    await this.#done();
  }

  /** Much time passes at once, and then a little, for whatever comes of it: so many are seen to in one go. */
  async pass(acts: number): Promise<void> {
    const { clock } = this.#scene;
    clock.block(acts * ACT_MS);
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      clock.advance(MOMENT_MS);
      await this.quiet();
    }
  }

  /** Resolves when everything has happened that can without time. */
  async quiet(): Promise<void> {
    const { runtime, store } = this.#scene;
    const facts = () =>
      engineOf(runtime)
        .executions.all()
        .reduce((sum, { applied }) => sum + applied.context.seq, 0);
    for (let seen = -1; seen !== facts(); ) {
      seen = facts();
      await turns(20);
      await store.forget('unknown'); // earlier writes are done then
      await turns(20);
    }
  }

  #holdSlot(cue: Cue): void {
    const slot = new SlotRequest(nobody);
    this.#slots.set(cue, slot);
    engineOf(this.#scene.runtime).builders('acting').lease(cue.name).builder.slots.request(slot);
  }

  #passSlot(cue: Cue): void {
    const slot = this.#slots.get(cue);
    if (slot === undefined) return;
    const { slots } = engineOf(this.#scene.runtime).builders('acting').get(cue.name)!;
    const next = new SlotRequest(nobody);
    this.#slots.set(cue, next);
    slots.request(next);
    slots.release(slot);
  }

  async #perform(isTime: (act: number) => boolean, ended: (act: number) => void = () => {}): Promise<void> {
    const acts = [...new Set(this.cues.flatMap(({ groups }) => groups.map(({ act }) => act)))].filter(isTime);
    for (const act of acts.sort((a, b) => a - b)) {
      this.#advanceTo(this.beganAt + act * ACT_MS);
      const now = this.cues.flatMap((cue) =>
        cue.groups.filter((group) => group.act === act).map((group) => ({ cue, group })),
      );
      const first = Math.min(...now.map(({ group }) => group.tick));
      const last = Math.max(...now.map(({ group }) => group.tick + group.last - group.first));
      this.#scene.clock.advance(first * TICK_MS);
      for (let tick = first; tick <= last; tick += 1) {
        for (const { cue, group } of now) {
          const index = group.first + tick - group.tick;
          if (index >= group.first && index <= group.last) this.#deed(cue, index);
        }
        await settled(this.#scene.runtime);
        this.#scene.clock.advance(TICK_MS);
      }
      await this.#done();
      ended(act);
    }
  }

  #advanceTo(time: number): void {
    this.#scene.clock.advance(Math.max(0, time - this.#scene.clock.now()));
  }

  async #done(): Promise<void> {
    await this.quiet();
    await Promise.all(this.#deeds.splice(0));
    await this.quiet();
  }

  #deed(cue: Cue, index: number): void {
    const { part, plan } = cue;
    const fact = plan.facts[index]!;
    if (isOwn(fact, plan)) part.come(index);
    else if (fact.type === 'slot.granted') this.#passSlot(cue);
    else if (fact.type === 'step.completed') part.endStep(true);
    else if (fact.type === 'step.failed') part.endStep(false);
    else if (fact.type === 'execution.failed')
      this.#deeds.push(this.#scene.runtime.cancel(this.#ids.get(cue)!, { userId: cue.name }));
    else if (!isTimed(fact) && 'id' in fact) this.#deeds.push(this.#close(cue, fact, index));
  }

  #close(cue: Cue, { type, id }: ExecutionEvent & { readonly id: string }, index: number): Promise<void> {
    const state = this.#realId(cue, id, index);
    if (type === 'interaction.answered') return this.#answer(cue, state);
    return this.#return(cue, type === 'oauth.granted' ? { state, code: 'code-1' } : { state, error: 'access_denied' });
  }

  async #answer(cue: Cue, id: string): Promise<void> {
    const by = { userId: cue.name };
    assert.equal(await this.#scene.runtime.answer(this.#ids.get(cue)!, id, reply, by, `key-${id}`), 'accepted');
  }

  /** From the provider. */
  async #return(cue: Cue, query: Record<string, string>): Promise<void> {
    const url = callbackUrl(new URLSearchParams(query));
    const { outcome } = await this.#scene.runtime.completeOAuth(url, { userId: cue.name });
    assert.equal(outcome, 'code' in query ? 'granted' : 'refused');
  }

  /** Of the pause that was last opened under a name of the model: the journal has them in the same order. */
  #realId(cue: Cue, id: string, before: number): string {
    const opening = cue.plan.facts.slice(0, before).filter((fact) => 'call' in fact && 'id' in fact);
    const place = opening.findLastIndex((fact) => 'id' in fact && fact.id === id);
    const opened = this.journal(cue).filter((entry) => 'call' in entry && 'id' in entry)[place]!;
    return 'id' in opened ? opened.id : '';
  }
}

const asked = {
  workflow: 'acting',
  conversationId: undefined,
  userMessageId: undefined,
  request: noRequest,
  trace: new RunTrace({}),
  interactive: true,
  streaming: false,
} as const;
