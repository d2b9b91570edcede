/** The model of the execution machine as plays: a real runtime, a run that does as it is told, people, and time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createActor } from 'xstate';
import { type ExecutionEvent, executionMachine } from '../../machines/execution.ts';
import { type Caller, createRuntime, Failure, type FailureCode, type Response } from '../../runtime/index.ts';
import { after, begun, executionPaths, expectedStatus } from '../support/execution-model.ts';
import { alice, type Failing, oauthTimeoutFor, Play, performable, stop, type World } from '../support/play.ts';
import { puppetry } from '../support/puppet.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';
import { json, tokenEndpoint } from '../support/token-endpoint.ts';

const bob: Caller = { userId: 'bob' };
const reply: Response = { kind: 'text', text: 'This.' };

const asked = {
  workflow: 'puppet',
  by: alice,
  input: { some: 'input' },
  conversationId: undefined,
  userMessageId: undefined,
  request: {
    method: null,
    path: null,
    scheme: null,
    port: null,
    headers: {},
    query: {},
    pathParams: {},
    cookies: {},
    client: null,
    payload: undefined,
  },
  trace: { traceId: '0'.repeat(32), runId: 'run-1', parentId: null, parentName: null },
  interactive: true,
  streaming: false,
} as const;

const callbackUrl = (query: URLSearchParams): URL => new URL(`http://127.0.0.1/auth/redirect?${query}`);

/** A world of its own for each play: one run slot, and a bank that agrees to everything. */
const worlds = async (t: TestContext) => {
  const { origin } = await tokenEndpoint(t, json({ access_token: 'token-1', token_type: 'bearer', expires_in: 3600 }));
  const urls = { authorizationUrl: `${origin}/auth`, tokenUrl: `${origin}/token` };
  const bank = { clientId: 'c', redirectUri: 'http://127.0.0.1/auth/redirect', ...urls };

  return async (facts: readonly ExecutionEvent[]): Promise<World> => {
    const clock = new SimulatedClock();
    const { workflow, puppets } = puppetry();
    const options = { maxConcurrency: 1, oauthTimeoutMs: oauthTimeoutFor(facts) };
    const runtime = await createRuntime({ workflows: [workflow], options, clock, providers: { bank } });
    const people: World['people'] = {
      start: async () => (await runtime.start(asked)).execution.id,
      answer: async (id, interaction) => {
        assert.equal(await runtime.answer(id, interaction, reply, alice, `key-${interaction}`), 'accepted');
      },
      callback: async (query) => {
        const { outcome } = await runtime.completeOAuth(callbackUrl(query), alice);
        assert.equal(outcome, query.has('code') ? 'granted' : 'refused');
      },
      cancel: (id) => runtime.cancel(id, alice),
    };
    return { runtime, clock, puppets, people };
  };
};

/** A call of the run that waits: what closed its pause, and whether the run has gone on since. */
type Call = { readonly closedBy?: ExecutionEvent['type']; readonly isResumed: boolean };

/** A play, and what is expected of it. */
class Stage {
  readonly play: Play;
  readonly world: World;
  readonly #facts: readonly ExecutionEvent[];
  readonly #told: string[] = ['execution.started'];
  readonly #calls = new Map<string, Call>();
  expected = begun;

  constructor(world: World, facts: readonly ExecutionEvent[]) {
    this.world = world;
    this.play = new Play(world, facts);
    this.#facts = facts;
  }

  async follow(failing?: Failing): Promise<this> {
    await this.play.begin();
    for (const [index, fact] of this.#facts.entries()) {
      await this.play.perform(index, index === this.#facts.length - 1 ? failing : undefined);
      this.#expect(fact);
    }
    return this;
  }

  #expect(fact: ExecutionEvent): void {
    this.expected = after(this.expected, fact)!;
    this.#told.push(fact.type);
    if ('id' in fact) this.#calls.set(fact.id, 'call' in fact ? { isResumed: false } : { closedBy: fact.type, isResumed: false });
    if (!this.expected.slot) return;
    for (const [id, call] of this.#calls) if (call.closedBy) this.#calls.set(id, { ...call, isResumed: true });
  }

  /** As its owner sees it, as it was written down, as the run has noticed, and what it holds. */
  async verify(): Promise<void> {
    const { runtime } = this.world;
    const { executionId, builder } = this.play;
    const { end, seq, open, steps, slot, parked } = this.expected;
    const view = runtime.get(executionId, alice);
    const journal = await runtime.facts(executionId, 0, alice);
    this.#verifyCalls();
    const isLive = end === 'live';
    assert.equal(builder.slots.queued, isLive && !parked ? 1 : 0, 'either the execution waits for the slot, or the test does');
    assert.equal(builder.refCount, isLive ? 1 : 0);
    if (end === 'expiring' || end === 'gone') {
      assert.deepEqual([view, journal], [undefined, undefined]);
      return;
    }
    assert.ok(view);
    const { context, status } = view;
    const ids = context.pauses.map(({ id, kind }) => ({ id, kind }));
    assert.deepEqual(
      { status, seq: context.seq, steps: context.steps, ids },
      { status: expectedStatus(this.expected), seq, steps, ids: open.map(({ id, kind }) => ({ id: this.play.ids.get(id), kind })) },
    );
    const inbox = runtime.inbox(alice, 10).map(({ pause }) => pause.id);
    assert.deepEqual(inbox, ids.filter(({ kind }) => kind !== 'sleep').map(({ id }) => id));
    assert.ok(!slot || !parked);
    if (journal === undefined) return; // the store is closed
    assert.deepEqual(journal.entries.map(({ type }) => type), this.#told);
    const folded = createActor(executionMachine, { input: context }).start();
    for (const fact of journal.entries) if (fact.type !== 'execution.started') folded.send(fact);
    assert.deepEqual({ ...folded.getSnapshot().context }, { ...context });
  }

  #verifyCalls(): void {
    for (const [id, { closedBy, isResumed }] of this.#calls) {
      const outcome = this.play.outcomeOf(id);
      if (isResumed) assert.equal(outcome, OUTCOMES[`${id} ${closedBy}`]);
      else assert.equal(outcome, this.expected.end === 'live' ? 'none' : 'AbortError', `${id} ${closedBy}`);
    }
  }
}

/** What the run is told about what it has waited for. */
const OUTCOMES: Readonly<Record<string, string>> = {
  'p1 interaction.answered': 'This.',
  'p2 interaction.answered': 'This.',
  'p1 interaction.expired': 'TimeoutError',
  'p2 interaction.expired': 'Whatever.',
  'o1 oauth.granted': 'token-1',
  'o1 oauth.refused': 'AuthorizationError',
  'o1 oauth.expired': 'AuthorizationError',
  's1 sleep.elapsed': 'undefined',
};

const paths = executionPaths(performable);

test('an execution goes every way that its model knows, as people, its run and time bring it about', async (t) => {
  const world = await worlds(t);
  let played = 0;

  for (const { events, state } of paths) {
    for (const fact of performable(state).filter((possible) => state.can(possible))) {
      for (const failing of fact.type === 'execution.failed' ? waysToFail(state) : [undefined]) {
        const facts = [...events, fact];
        const stage = await new Stage(await world(facts), facts).follow(failing);
        try {
        await stage.verify();
        } catch (e) { console.log(facts.map(f => f.type + ('id' in f ? f.id: '')).join(' '), failing); throw e; }
        await stop(stage.world.runtime, stage.world.clock);
        assert.equal(stage.world.clock.pending, 0, 'nothing is left that would happen later');
        played += 1;
      }
    }
  }

  t.diagnostic(`${paths.length} states, ${played} plays`);
});

const waysToFail = ({ context: { seq, pauses }, tags }: (typeof paths)[number]['state']): Failing[] => {
  const isAbandonable = tags.has('waiting') && pauses.some(({ kind }) => kind !== 'sleep');
  return ['cancelled', 'interrupted', ...(seq > 1 ? (['thrown'] as const) : []), ...(isAbandonable ? (['abandoned'] as const) : [])];
};
