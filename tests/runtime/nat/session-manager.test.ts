/** The manager: builders, schemas, and who may have a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Failure } from '../../../runtime/errors.ts';
import { createRuntime, jsonSchemaOf, SessionManager, type Workflow, workflow } from '../../../runtime/index.ts';
import { refusal } from '../../support/execution-store.ts';
import { echo, gate, notebook, sessionManager } from '../../support/session-manager.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

test('a shared workflow is built once, when the manager is created, and all sessions share its builder', async (t) => {
  const builds: string[] = [];
  const shared = workflow({ name: 'shared', build: () => builds.push('built'), run: () => 'done' });
  const { manager } = await sessionManager(t, shared);
  assert.deepEqual(builds, ['built']);

  const session = await manager.session({ userId: 'alice' });
  const anonymous = await manager.session();

  assert.deepEqual(builds, ['built']);
  assert.equal(manager.isWorkflowPerUser, false);
  assert.equal(manager.workflow, shared);
  assert.equal(session.workflow, shared);
  assert.equal(session.userId, 'alice');
  assert.equal(anonymous.userId, undefined);
  assert.equal(manager.sharedBuilder?.refCount, 2);
  assert.equal(session.builder.slots, anonymous.builder.slots);
  assert.equal(manager.perUserBuilders.size, 0);
});

test('a per-user workflow is not built before a user comes, and is had through a session only', async (t) => {
  const { served, log } = notebook();
  const { manager } = await sessionManager(t, served);
  assert.deepEqual(log, []);
  assert.equal(manager.isWorkflowPerUser, true);
  assert.equal(manager.sharedBuilder, undefined);
  assert.throws(() => manager.workflow, {
    code: 'identity_required',
    message: 'Workflow is per-user. Access workflow through session.workflow instead.',
  });

  const session = await manager.session({ userId: 'alice' });

  assert.equal(session.workflow, served);
  assert.equal(session.sessionManager, manager);
  assert.deepEqual(log, ['built for alice']);
});

test('a session without user is refused for a per-user workflow, and nothing is built', async (t) => {
  const { served, log } = notebook();
  const { manager } = await sessionManager(t, served);

  await assert.rejects(manager.session(), { code: 'identity_required', message: /^user_id is required for per-user/ });
  await assert.rejects(manager.session({ userId: '' }), refusal('identity_required'));

  assert.deepEqual(log, []);
});

test('sessions of one user use one builder, which counts them', async (t) => {
  const { served, log } = notebook();
  const { manager } = await sessionManager(t, served);

  const outer = await manager.session({ userId: 'alice' });
  const inner = await manager.session({ userId: 'alice' });

  const { builder } = outer;
  assert.equal(builder.refCount, 2);
  await inner.close();
  assert.equal(builder.refCount, 1);
  await outer.close();
  await outer.close();
  assert.equal(builder.refCount, 0);
  assert.deepEqual([...manager.perUserBuilders.keys()], ['alice']);
  assert.deepEqual(log, ['built for alice']);
});

test('users who come at the same time do not wait for each other, and one user twice is built for once', async (t) => {
  const slow = gate();
  const built: string[] = [];
  const served = workflow({
    name: 'slow-for-alice',
    perUser: {
      build: async (user) => {
        if (user === 'alice') await slow.opened;
        built.push(user);
      },
    },
    run: () => null,
  });
  const { manager } = await sessionManager(t, served);
  const alice = [manager.session({ userId: 'alice' }), manager.session({ userId: 'alice' })];

  await manager.session({ userId: 'bob' });

  assert.deepEqual(built, ['bob']);
  slow.open();
  await Promise.all(alice);
  assert.deepEqual(built, ['bob', 'alice']);
});

test('what users keep is kept apart, and is there again in their next session', async (t) => {
  const { manager } = await sessionManager(t, notebook().served);
  const noted = async (userId: string, note?: string) => {
    await using session = await manager.session({ userId });
    return (await session.run(note)).result();
  };

  await noted('alice', 'milk');
  await noted('bob', 'bread');

  assert.deepEqual(await noted('alice'), ['milk']);
  assert.deepEqual(await noted('bob'), ['bread']);
  const [alice, bob] = manager.perUserBuilders.values();
  assert.notEqual(alice?.slots, bob?.slots);
  assert.deepEqual([alice?.refCount, bob?.refCount], [0, 0]);
});

test('a build that fails is told to who asked, counts as no request, and is tried again by the next', async (t) => {
  let attempts = 0;
  const served = workflow({
    name: 'fails-once',
    perUser: {
      build: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('no key for the vault');
      },
    },
    run: () => 'done',
  });
  const { manager } = await sessionManager(t, served);

  const refused = manager.session({ userId: 'alice' });

  await assert.rejects(refused, (thrown: Failure) => {
    assert.equal(thrown.code, 'build_failed');
    assert.match(String(thrown.cause), /no key for the vault/);
    assert.doesNotMatch(JSON.stringify(thrown) + thrown.message, /vault/, 'what clients may see');
    return true;
  });
  assert.equal(manager.perUserBuilders.size, 0);
  const session = await manager.session({ userId: 'alice' });
  assert.equal(session.builder.totalRequests, 0);
});

test('schemas are those of the workflow, whether or not it has been built', async (t) => {
  const input = z.object({ amount: z.number() });
  const output = z.object({ ok: z.boolean() });
  const shared = workflow({ name: 'shared', input, output, run: () => ({ ok: true }) });
  const perUser = workflow({ name: 'own', input, output, perUser: { build: () => {} }, run: () => ({ ok: true }) });
  const streaming = workflow({ name: 'streaming', output, streamOnly: true, run: () => ({ ok: true }) });
  const schemasOf = async (served: Workflow<unknown, { ok: boolean }>) => {
    const { manager } = await sessionManager(t, served);
    return {
      input: manager.getWorkflowInputSchema(),
      single: manager.getWorkflowSingleOutputSchema(),
      streaming: manager.getWorkflowStreamingOutputSchema(),
    };
  };

  assert.deepEqual(await schemasOf(shared), { input, single: output, streaming: undefined });
  assert.deepEqual(await schemasOf(perUser), { input, single: output, streaming: undefined });
  assert.deepEqual(await schemasOf(streaming), { input: undefined, single: undefined, streaming: undefined });
});

test('a schema is told as JSON Schema too, and no schema as anything', () => {
  const schema = z.object({ amount: z.number(), note: z.string().default('-') });

  assert.deepEqual(jsonSchemaOf(schema).required, ['amount']);
  assert.deepEqual(jsonSchemaOf(schema, 'output').required, ['amount', 'note']);
  assert.deepEqual(jsonSchemaOf(undefined), {});
});

test('the limit of runs is 8 unless it is given, 0 is none, and nonsense is refused by name', async (t) => {
  const limitOf = async (setup: { maxConcurrency?: number }) => {
    const { manager } = await sessionManager(t, echo, setup);
    return manager.sharedBuilder?.slots.limit;
  };

  assert.equal(await limitOf({}), 8);
  assert.equal(await limitOf({ maxConcurrency: 2 }), 2);
  assert.equal(await limitOf({ maxConcurrency: 0 }), Number.POSITIVE_INFINITY);
  for (const maxConcurrency of [-1, null as unknown as number]) {
    await assert.rejects(SessionManager.create({ workflow: echo, maxConcurrency }), /maxConcurrency must be a number/);
  }
});

test('run() is for shared workflows, and says so to others', async (t) => {
  const { manager: shared } = await sessionManager(t, echo);
  const { manager: perUser } = await sessionManager(t, notebook().served);

  assert.equal(await (await shared.run('hello')).result(), 'hello');

  assert.equal(shared.sharedBuilder?.refCount, 0);
  assert.equal(shared.sharedBuilder?.totalRequests, 1);
  await assert.rejects(perUser.run('hello'), {
    code: 'identity_required',
    message: /^Cannot use SessionManager.run\(\) with per-user workflows\. Use '.+' then 'session.run\(\)' instead\.$/,
  });
});

test('an unused builder expires by itself, and one in use does not', async (t) => {
  const { served, log } = notebook();
  const { manager, clock } = await sessionManager(t, served, { options: { builderIdleMs: 60_000 } });
  await (await manager.session({ userId: 'alice' })).close();
  const kept = await manager.session({ userId: 'bob' });

  clock.advance(60_000);
  await new Promise(setImmediate);

  assert.deepEqual([...manager.perUserBuilders.keys()], ['bob']);
  assert.deepEqual(log, ['built for alice', 'built for bob', 'disposed for alice']);
  assert.equal(kept.builder.refCount, 1);
});

test('cleaning up takes at once what has been idle for so long, counts it, and leaves what is in use', async (t) => {
  const { served, log } = notebook();
  const { manager, clock } = await sessionManager(t, served);
  await (await manager.session({ userId: 'alice' })).close();
  await manager.session({ userId: 'bob' });
  clock.advance(1_000);
  await (await manager.session({ userId: 'carol' })).close();

  assert.equal(await manager.cleanupInactive(), 0);
  assert.equal(await manager.cleanupInactive(1_000), 1);
  assert.equal(await manager.cleanupInactive(0), 1);

  assert.deepEqual([...manager.perUserBuilders.keys()], ['bob']);
  assert.deepEqual(log.slice(3), ['disposed for alice', 'disposed for carol']);
});

test('a user who comes back while their builder closes gets a new one, built after that', async (t) => {
  const { served, log } = notebook();
  const { manager } = await sessionManager(t, served);
  await (await manager.session({ userId: 'alice' })).close();

  const cleaned = manager.cleanupInactive(0);
  const session = await manager.session({ userId: 'alice' });

  assert.equal(await cleaned, 1);
  assert.equal(session.builder.refCount, 1);
  assert.deepEqual(log, ['built for alice', 'disposed for alice', 'built for alice']);
});

test('after a shutdown, which waits for runs and disposes builders, no session is opened and no run is started', async (t) => {
  const { opened, open } = gate();
  const log: string[] = [];
  const served = workflow({
    name: 'slow',
    perUser: { build: (_user, scope) => scope.defer(() => log.push('disposed')) },
    run: async () => {
      await opened;
      log.push('ran');
    },
  });
  const { manager } = await sessionManager(t, served);
  const session = await manager.session({ userId: 'alice' });
  const run = await session.run(null);

  const stopped = manager.shutdown();

  await assert.rejects(manager.session({ userId: 'bob' }), refusal('draining'));
  await assert.rejects(session.run(null), refusal('draining'));
  open();
  await stopped;
  await manager.shutdown();
  assert.equal(run.status, 'completed');
  assert.deepEqual(log, ['ran', 'disposed']);
});

test('a build that is given up closes what it has opened, and who waits for it is told', async (t) => {
  const log: string[] = [];
  const { opened: abandoned, open: giveUp } = gate();
  const served = workflow({
    name: 'slow-build',
    perUser: {
      build: async (_user, scope) => {
        scope.defer(() => log.push('closed'));
        scope.signal.addEventListener('abort', giveUp);
        await abandoned;
      },
    },
    run: () => null,
  });
  const { manager } = await sessionManager(t, served);
  const refused = assert.rejects(manager.session({ userId: 'alice' }), refusal('draining'));

  await manager.shutdown();

  await refused;
  assert.deepEqual(log, ['closed']);
});

test('managers over one runtime have builders of their own, and a shutdown of one leaves the rest as it is', async (t) => {
  const runtime = await createRuntime({ workflows: [echo, notebook().served], clock: new SimulatedClock() });
  t.after(() => runtime.stop());
  const [shared, perUser] = runtime.workflows.map((served) => new SessionManager(runtime, served));
  await perUser?.session({ userId: 'alice' });

  await shared?.shutdown();

  await assert.rejects(shared?.session() ?? Promise.resolve(), refusal('draining'));
  assert.deepEqual([...(perUser?.perUserBuilders.keys() ?? [])], ['alice']);
  assert.equal(shared?.perUserBuilders.size, 0);
  await perUser?.session({ userId: 'bob' });
  assert.ok(runtime.isAccepting);
});

test('a manager for a workflow that the runtime does not serve is refused', async (t) => {
  const runtime = await createRuntime({ workflows: [echo], clock: new SimulatedClock() });
  t.after(() => runtime.stop());

  assert.throws(() => new SessionManager(runtime, notebook().served), refusal('workflow_not_found'));
});
