/** The builders of a per-user workflow, B1 to B4, with resources that are slow, fail, and are used at all times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, workflow } from '../../../runtime/index.ts';
import { givenControlledResources } from '../../support/controlled-resources.ts';
import { given, turns } from '../../support/given.ts';

test('a user who comes again while the resources open shares them, and other users do not wait (B1)', async (t) => {
  const { resources, of, lease } = await givenControlledResources(t);

  const [first, second, other] = [await lease('alice'), await lease('alice'), await lease('bob')];
  of('bob')!.opened();
  await turns();

  assert.deepEqual([first.told, second.told, other.told], [[], [], ['ready']]);
  of('alice')!.opened();
  await turns();
  assert.deepEqual([first.told, second.told], [['ready'], ['ready']]);
  assert.deepEqual(
    resources.map(({ user }) => user),
    ['alice', 'bob'],
  );
  for (const { claim } of [first, second, other]) claim.end(true);
});

test('resources stay open as long as one claim lasts, and close `builderIdleMs` after the last one (B2)', async (t) => {
  const { clock, runtime, of, lease } = await givenControlledResources(t);
  const idleMs = runtime.options.builderIdleMs;
  const [long, short] = [await lease('alice'), await lease('alice')];
  of('alice')!.opened();
  await turns();

  short.claim.end(true);
  clock.advance(10 * idleMs);
  assert.equal(of('alice')!.state, 'open');
  long.claim.end(true);
  clock.advance(idleMs - 1);
  assert.equal(of('alice')!.state, 'open', 'who has just left may be back');
  clock.advance(1);
  await turns();

  assert.equal(of('alice')!.state, 'closing');
});

test('a claim that ends twice, or is cancelled after its end, counts once', async (t) => {
  const { builders, opened } = await givenControlledResources(t);
  const claim = await opened('alice');

  claim.end(false);
  claim.end(true);
  claim.cancel();

  const builder = builders.get('alice')!;
  assert.deepEqual([builder.refCount, builder.totalRequests, builder.errorCount], [0, 1, 1]);
});

test('who comes while the resources close gets new ones, which open after the old ones are closed (B3)', async (t) => {
  const { builders, resources, of, lease, opened } = await givenControlledResources(t);
  (await opened('alice')).end(true);
  const disposed = builders.disposeIdle(0);
  await turns();
  const [old] = resources;
  assert.equal(old!.state, 'closing');

  const [second, third] = [await lease('alice'), await lease('alice')];
  await turns();

  assert.deepEqual([resources.length, second.told], [1, []], 'nothing opens while something closes');
  old!.closed();
  await turns();
  assert.equal(resources.length, 2);
  of('alice')!.opened();
  await turns();
  assert.deepEqual([second.told, third.told, await disposed], [['ready'], ['ready'], 1]);
  for (const { claim } of [second, third]) claim.end(true);
});

test('resources that do not open are told to all who wait, and opened anew for the next (B4)', async (t) => {
  const { errors, resources, builders, of, lease } = await givenControlledResources(t);
  const [first, second] = [await lease('alice'), await lease('alice')];

  of('alice')!.opened(new Error('no such host'));
  await turns();

  for (const { told, claim } of [first, second]) {
    const [failure] = told;
    assert.ok(failure instanceof Failure);
    assert.deepEqual([failure.code, failure.retryable], ['build_failed', true]);
    assert.match(String(failure.cause), /no such host/);
    assert.doesNotMatch(failure.message, /no such host/, 'clients see it');
    claim.end(false);
  }
  assert.equal(builders.get('alice'), undefined);
  const third = await lease('alice');
  of('alice')!.opened();
  await turns();
  assert.deepEqual([third.told, resources.length], [['ready'], 2]);
  third.claim.end(true);
  assert.equal(errors.splice(0).length, 1, 'one failed build, one line in the log');
});

test('what an opening has opened before it fails is closed again, in reverse order', async (t) => {
  const log: string[] = [];
  const served = workflow({
    name: 'w',
    perUser: {
      build: (_user, scope) => {
        scope.defer(() => log.push('first closed'));
        scope.defer(() => Promise.reject(new Error('cannot be closed')));
        scope.defer(() => log.push('third closed'));
        throw new Error('no room');
      },
    },
    run: () => null,
  });
  const { errors, start } = await given.runtime(t, { workflows: [served] });

  const execution = await start({ by: { userId: 'alice' } });
  await turns();

  assert.deepEqual(log, ['third closed', 'first closed']);
  assert.deepEqual([execution.status, execution.context.error?.code], ['failed', 'build_failed']);
  assert.equal(errors.splice(0).length, 2, 'the failed build, and what could not be closed');
});

test('when there is no room, the resources that were not used for longest make some (B3)', async (t) => {
  const { clock, builders, of, lease, opened } = await givenControlledResources(t, { maxBuilders: 2 });
  for (const user of ['alice', 'bob']) {
    const claim = await opened(user);
    clock.advance(1_000);
    claim.end(true);
  }

  const carol = await lease('carol');
  await turns();

  assert.deepEqual([of('alice')!.state, of('bob')!.state], ['closing', 'open']);
  assert.deepEqual(
    builders.list().map(({ user }) => user),
    ['bob', 'carol'],
  );
  carol.claim.end(true);
});

test('a user whose resources have made room waits for them to close, like any user (B3)', async (t) => {
  const { resources, of, lease, opened } = await givenControlledResources(t, { maxBuilders: 1 });
  (await opened('alice')).end(true);
  (await opened('bob')).end(true);

  const again = await lease('alice');
  await turns();

  assert.deepEqual(
    resources.map(({ user, state }) => [user, state]),
    [
      ['alice', 'closing'],
      ['bob', 'closing'],
    ],
  );
  resources[0]!.closed();
  await turns();
  assert.equal(resources.length, 3);
  of('alice')!.opened();
  await turns();
  assert.deepEqual(again.told, ['ready']);
  again.claim.end(true);
});

test('without room and with everything in use a user is refused, and told to come again', async (t) => {
  const { builders, opened } = await givenControlledResources(t, { maxBuilders: 1 });
  const claim = await opened('alice');

  assert.throws(() => builders.lease('bob'), { code: 'queue_full', retryAfterMs: 5_000 });

  claim.end(true);
});

test('when the runtime stops it is over only after everything is closed, also what was closing before', async (t) => {
  const { runtime, of, opened } = await givenControlledResources(t, { maxBuilders: 1 });
  (await opened('alice')).end(true);
  (await opened('bob')).end(true);
  let isStopped = false;
  void runtime.stop().then(() => {
    isStopped = true;
  });
  await turns();
  assert.deepEqual([of('alice')!.state, of('bob')!.state], ['closing', 'closing']);

  of('bob')!.closed();
  await turns();
  assert.equal(isStopped, false);
  of('alice')!.closed();
  await turns();

  assert.equal(isStopped, true);
});

test('nothing is opened any more for a user who waited for a disposal when the runtime stopped', async (t) => {
  const { runtime, builders, resources, of, lease, opened } = await givenControlledResources(t);
  (await opened('alice')).end(true);
  void builders.disposeIdle(0);
  const second = await lease('alice');
  await turns();

  const stopped = runtime.stop();
  await turns();
  of('alice')!.closed();
  await stopped;
  await turns();

  assert.equal(resources.length, 1);
  assert.equal((second.told[0] as Failure).code, 'draining');
  second.claim.cancel();
});

test('a builder whose actor crashes fails those who wait for it, is closed, and is not used again', async (t) => {
  const { errors, builders, resources, of, lease } = await givenControlledResources(t);
  const waiting = await lease('alice');

  builders.get('alice')!.actor!.send(poison);
  await turns();

  assert.equal((waiting.told[0] as Failure).code, 'defect');
  waiting.claim.cancel();
  const next = await lease('alice');
  await turns();
  for (const resource of resources) if (resource.state === 'opening') resource.opened();
  await turns();
  assert.deepEqual(next.told, ['ready']);
  assert.equal(of('alice')!.state, 'open');
  next.claim.end(true);
  assert.notEqual(errors.splice(0).length, 0);
});

/** An event that throws when it is read. */
const poison = {
  get type(): never {
    throw new Error('broken event');
  },
};
