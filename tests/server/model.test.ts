/** The model of the execution machine over HTTP: what people do, they do as clients of a real server. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createServer } from '../../server/index.ts';
import { bank } from '../support/bank-provider.ts';
import { controlledWorkflow } from '../support/controlled-workflow.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/http.ts';
import { type Callers, type Failing, keyOf, stop, type World } from '../support/plan-driver.ts';
import { PlanRun } from '../support/plan-run.ts';
import {
  coverageOf,
  isReplayed,
  isStable,
  oauthTimeoutFor,
  type Plan,
  performableOverHttp,
  plansForEveryFact,
  plansForEveryState,
} from '../support/plans.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';

type Body = Readonly<Record<string, unknown>>;
type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Body };

/** A client with an API key and one connection. */
class Client {
  readonly #connection: RawClient;
  readonly #key: string;

  constructor(connection: RawClient, key: string) {
    this.#connection = connection;
    this.#key = key;
  }

  async call(method: string, path: string, sent?: object, headers: readonly string[] = []): Promise<Answer> {
    const text = sent === undefined ? '' : JSON.stringify(sent);
    const content = sent === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${text.length}`];
    this.#connection.send(rawRequest(`${method} ${path}`, [`X-API-Key: ${this.#key}`, ...content, ...headers], text));
    const answer = await this.#connection.answer();
    const isJson = answer.headers['content-type']?.endsWith('json');
    return { ...answer, body: isJson ? JSON.parse(answer.body) : { text: answer.body } };
  }

  answer(id: string, interaction: string, response: object = { type: 'text', text: 'This.' }, key?: string) {
    const path = `/executions/${id}/interactions/${interaction}/response`;
    return this.call('POST', path, { response }, key === undefined ? [] : [`Idempotency-Key: ${key}`]);
  }
}

/** What is due at once happens soon, as it does in life; for the rest a test lets time pass. */
class LivelyClock extends SimulatedClock {
  override setTimeout(fn: () => void, ms: number): unknown {
    if (ms <= 0) setImmediate(() => this.advance(0));
    return super.setTimeout(fn, ms);
  }
}

type Site = World & { readonly alice: Client; readonly bob: Client };

/** A server with one run slot. Its plays come one after the other. */
const site = async (t: TestContext, oauthTimeoutMs: number): Promise<Site> => {
  const clock = new LivelyClock();
  const { workflow, runs } = controlledWorkflow();
  const config = {
    host: '127.0.0.1',
    port: 0,
    providers: { bank: await bank(t) },
    runtime: { maxConcurrency: 1, oauthTimeoutMs },
  };
  const { runtime, port, close } = await createServer({ workflow, clock, config });
  t.after(async () => {
    await stop(runtime, clock);
    await close();
  });
  const alice = new Client(await connectRaw(t, port), 'key-of-alice');
  const people: Callers = {
    start: async () => {
      const { status, body } = await alice.call('POST', '/v1/workflow', { some: 'input' }, ['Prefer: respond-async']);
      assert.equal(status, 202);
      return String(body.execution_id);
    },
    answer: async (id, interaction) => {
      assert.equal((await alice.answer(id, interaction, undefined, keyOf(interaction))).status, 204);
    },
    callback: async (query) => {
      assert.equal((await alice.call('GET', `/auth/redirect?${query}`)).status, query.has('code') ? 200 : 403);
    },
    cancel: async (id) => assert.equal((await alice.call('DELETE', `/executions/${id}`)).status, 204),
  };
  return {
    runtime,
    clock,
    runs,
    callers: people,
    alice,
    bob: new Client(await connectRaw(t, port), 'key-of-bob'),
  };
};

const FAILURES = {
  cancelled: 'The execution was cancelled.',
  thrown: 'It broke.',
  abandoned: 'The execution waited for 604800 s without an answer.',
} as const satisfies Record<Failing, string>;

type Waits = { readonly status: unknown; readonly id: unknown };

/** What the wire calls the pauses that people can end, the oldest first. */
const waits = ({ driver: play, expected }: PlanRun): Waits[] =>
  expected.open
    .filter(({ kind }) => kind !== 'sleep')
    .map(({ id, kind }) => ({
      status: kind === 'oauth' ? 'oauth_required' : 'interaction_required',
      id: play.ids.get(id),
    }));

const waitsOf = ({ status, interaction_id, oauth_state }: Body): Waits => ({
  status,
  id: interaction_id ?? oauth_state,
});

/** What polling says of it, and the lists of executions and of what waits. */
const verify = async (stage: PlanRun, { alice }: Site): Promise<void> => {
  const { executionId } = stage.driver;
  const { end, seq } = stage.expected;
  const { status, headers, body } = await alice.call('GET', `/executions/${executionId}`);
  const list = (await alice.call('GET', '/executions?limit=1')).body.executions as Body[];
  const inbox = (await alice.call('GET', '/interactions')).body.interactions as Body[];

  stage.verifyCalls();
  if (end === 'expiring' || end === 'gone') {
    assert.deepEqual({ status, body }, { status: 404, body: { detail: `Execution ${executionId} not found` } });
    assert.notEqual(list[0]?.execution_id, executionId);
    return;
  }
  const expected = waits(stage);
  assert.equal(headers['execution-seq'], String(seq));
  assert.equal(list[0]?.execution_id, executionId);
  assert.deepEqual(inbox.map(waitsOf), expected);
  assert.deepEqual(body.result, end === 'completed' ? { value: 'done' } : undefined);
  assert.equal(body.error, end === 'failed' ? FAILURES[stage.failing] : undefined);
  if (end !== 'live' || expected.length === 0) assert.equal(body.status, end === 'live' ? 'running' : end);
  else assert.deepEqual(waitsOf(body), expected[0]);
  assert.deepEqual((body.pending as Body[] | undefined)?.map(waitsOf), expected.length > 1 ? expected : undefined);
};

/** Tries whatever clients could, and may not where the execution stands. */
const pester = async (stage: PlanRun, { alice, bob }: Site): Promise<void> => {
  const { executionId: id, ids } = stage.driver;
  const { end, open } = stage.expected;
  const isKnown = end !== 'expiring' && end !== 'gone';
  const expect = async (answer: Promise<Answer>, status: number) => assert.equal((await answer).status, status);

  for (const [name, pause] of [...ids, ['nothing', 'never-asked'] as const]) {
    const opened = open.find((candidate) => candidate.id === name);
    const isPrompt = name.startsWith('p');
    if (!isKnown) await expect(alice.answer(id, pause), 404);
    else if (isPrompt && opened) {
      await expect(alice.answer(id, pause, { type: 'radio', selected_option: { id: 'a' } }), 422);
      await expect(alice.answer(id, pause, { type: 'text', text: ' ' }), 422);
    } else {
      await expect(alice.answer(id, pause), isPrompt ? 400 : 404);
      const again = stage.closedBy(name) === 'interaction.answered' ? 204 : isPrompt ? 400 : 404;
      await expect(alice.answer(id, pause, undefined, keyOf(pause)), again);
    }
    await expect(
      (opened?.kind === 'oauth' ? bob : alice).call('GET', `/auth/redirect?state=${pause}&code=code-1`),
      400,
    );
  }
  await expect(bob.answer(id, ids.get('p1') ?? 'never-asked'), 404);
  for (const method of ['GET', 'DELETE']) await expect(bob.call(method, `/executions/${id}`), 404);
  if (end !== 'live') await expect(alice.call('DELETE', `/executions/${id}`), isKnown ? 409 : 404);
};

/** Plays come to stand where they can. Those are together whose consents last equally long: the server sets that. */
const playAll = async (t: TestContext, all: readonly Plan[], act: (stage: PlanRun, site: Site) => Promise<void>) => {
  for (const oauthTimeoutMs of new Set(all.map(oauthTimeoutFor))) {
    const place = await site(t, oauthTimeoutMs);
    for (const plan of all.filter((one) => isStable(one) && oauthTimeoutFor(one) === oauthTimeoutMs)) {
      const stage = await PlanRun.perform(place, plan);
      await act(stage, place);
      if (stage.expected.end === 'live') await place.callers.cancel(stage.driver.executionId);
      stage.driver.end();
    }
  }
};

test('an execution goes every way that its model knows, as clients see it', async (t) => {
  const plans = plansForEveryFact(performableOverHttp).filter(isStable);

  await playAll(t, plans, verify);

  const { summary, missing } = coverageOf(plans);
  t.diagnostic(`${plans.length} plays; covered ${summary}`);
  const without = missing.filter((transition) => !isReplayed(transition) && !transition.includes('.withdrawn'));
  assert.deepEqual(without, [], 'all but what only a crash brings about');
});

test('no client gets an execution to do what it may not where it stands', async (t) => {
  await playAll(t, plansForEveryState(performableOverHttp), async (stage, place) => {
    await pester(stage, place);
    await verify(stage, place);
  });
});
