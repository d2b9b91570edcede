/** What was opened is closed: once, in reverse order, whatever else goes wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DisposalScope } from '../../../runtime/builders/disposal-scope.ts';
import { turns } from '../../support/given.ts';

const silent = (): void => {};

test('everything is closed once, in reverse order and one after the other, and what fails is told at the end', async () => {
  const way = fc.constantFrom('at once', 'later', 'throws', 'rejects');

  await fc.assert(
    fc.asyncProperty(fc.array(way, { maxLength: 10 }), async (ways) => {
      const log: string[] = [];
      const scope = new DisposalScope(silent);
      const failing: Error[] = [];
      for (const [index, how] of ways.entries()) {
        const error = new Error(`${index}`);
        if (how === 'throws' || how === 'rejects') failing.unshift(error);
        scope.defer(() => {
          log.push(`closing ${index}`);
          if (how === 'throws') throw error;
          if (how === 'rejects') return Promise.reject(error);
          return how === 'later' ? turns(1).then(() => log.push(`closed ${index}`)) : log.push(`closed ${index}`);
        });
      }

      const [first, second] = await Promise.allSettled([scope.close(), scope.close()]);

      const isFailing = (how: string) => how === 'throws' || how === 'rejects';
      const expected = ways.map((how, index) => [`closing ${index}`, ...(isFailing(how) ? [] : [`closed ${index}`])]);
      assert.deepEqual(log, expected.reverse().flat());
      assert.deepEqual(second, first);
      if (first.status === 'fulfilled') assert.deepEqual(failing, []);
      else assert.deepEqual((first.reason as AggregateError).errors, failing);
      assert.equal(scope.size, 0);
    }),
  );
});

test('who closes it a second time waits as long as the first one', async () => {
  const log: string[] = [];
  let finish = (): void => {};
  const scope = new DisposalScope(silent);
  scope.defer(() => new Promise<void>((resolve) => (finish = resolve)).then(() => log.push('closed')));
  void scope.close();

  void scope.close().then(() => log.push('waited'));
  await turns();
  finish();
  await turns();

  assert.deepEqual(log, ['closed', 'waited']);
});

test('what is opened too late is closed at once, and a failure of that is reported', async () => {
  const [log, reported]: [string[], unknown[]] = [[], []];
  const scope = new DisposalScope((error) => reported.push(error));
  await scope.close();

  scope.defer(() => log.push('late'));
  scope.defer(() => {
    throw new Error('stuck');
  });
  await turns();

  assert.deepEqual(log, ['late']);
  assert.deepEqual(reported, [new Error('stuck')]);
});

test('the signal is aborted before anything is closed', async () => {
  const seen: boolean[] = [];
  const scope = new DisposalScope(silent);
  scope.defer(() => seen.push(scope.signal.aborted));
  assert.equal(scope.signal.aborted, false);

  await scope.close();

  assert.deepEqual(seen, [true]);
});
