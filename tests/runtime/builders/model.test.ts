/** Users come and go while resources open, fail, close and expire, in any order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Lease } from '../../../runtime/builders/builder.ts';
import { Failure } from '../../../runtime/index.ts';
import { givenControlledResources, type Resource } from '../../support/controlled-resources.ts';
import { turns } from '../../support/given.ts';

type Command =
  | { readonly comes: string }
  | { readonly leaves: number }
  | { readonly opened: string; readonly error?: Error }
  | { readonly closed: string }
  | { readonly passes: number }
  | 'disposeIdle';

const user = fc.constantFrom('alice', 'bob', 'carol');
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: user.map((comes) => ({ comes })) },
  { weight: 5, arbitrary: fc.nat(20).map((leaves) => ({ leaves })) },
  { weight: 5, arbitrary: user.map((opened) => ({ opened })) },
  { weight: 1, arbitrary: user.map((opened) => ({ opened, error: new Error('no such host') })) },
  { weight: 3, arbitrary: user.map((closed) => ({ closed })) },
  { weight: 2, arbitrary: fc.constantFrom(1, 600, 1_000).map((passes) => ({ passes })) },
  { weight: 1, arbitrary: fc.constant('disposeIdle' as const) },
);

type Visit = { readonly user: string; readonly claim: Lease; readonly told: (Failure | undefined)[]; isOver: boolean };

const isThere = ({ state }: Resource): boolean => state === 'opening' || state === 'open' || state === 'closing';
const maxBuilders = 2;

test('in any order of leases, no resources are open twice, and none close while they are used', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40, size: 'max' }), async (commands) => {
      const { runtime, clock, builders, resources, of, leave, errors } = await givenControlledResources(t, {
        maxBuilders,
        builderIdleMs: 1_000,
      });
      const visits: Visit[] = [];

      for (const next of commands) {
        if (next === 'disposeIdle') void builders.disposeIdle(500);
        else if ('comes' in next) come(next.comes);
        else if ('leaves' in next) leaves(visits[next.leaves]);
        else if ('opened' in next) of(next.opened)?.opened(next.error);
        else if ('closed' in next) of(next.closed)?.closed();
        else clock.advance(next.passes);
        verify();
        await turns(1);
        verify();
      }

      for (const visit of visits) leaves(visit);
      const stopped = runtime.stop();
      await turns();
      leave();
      await stopped;
      await turns();
      assert.deepEqual(resources.filter(isThere), [], 'everything is closed when the runtime has stopped');
      assert.ok(
        visits.every(({ told }) => told.length === 1),
        'every lease was notified once',
      );
      errors.splice(0); // builds have failed

      function come(by: string): void {
        const present = builders.get(by);
        const isFull = builders.list().length >= maxBuilders && builders.list().every((one) => !one.isIdle);
        try {
          const visit: Visit = { user: by, claim: builders.lease(by), told: [], isOver: false };
          visit.claim.whenReady((failure) => visit.told.push(failure));
          visits.push(visit);
        } catch (thrown) {
          assert.equal(Failure.from(thrown).code, 'queue_full');
          assert.ok(present === undefined && isFull, 'only a newcomer is refused, and only without room');
        }
      }

      function leaves(visit: Visit | undefined): void {
        if (visit === undefined || visit.isOver) return;
        visit.isOver = true;
        visit.claim.end(true);
      }

      function verify(): void {
        for (const name of ['alice', 'bob', 'carol']) {
          const own = resources.filter((resource) => resource.user === name && isThere(resource));
          assert.ok(own.length <= 1, `${name} has ${own.length} resources open`);
        }
        for (const { claim, told, isOver } of visits) {
          assert.ok(told.length <= 1);
          if (isOver || told.length === 0) continue;
          const resource = claim.builder.resources as Resource | undefined;
          assert.equal(resource?.state, told[0] === undefined ? 'open' : undefined, 'it is used, and so it is open');
        }
        for (const builder of builders.list()) {
          const open = visits.filter(({ claim, isOver }) => claim.builder === builder && !isOver);
          assert.equal(builder.refCount, open.length);
        }
        assert.ok(builders.list().length <= maxBuilders);
      }
    }),
    { numRuns: 200 },
  );
});
