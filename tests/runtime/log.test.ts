/** What authors throw is logged, whatever it is, and what logs it does not fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedLog, readableError, silentLog } from '../../runtime/index.ts';
import { throwables } from '../support/mistaken/values.ts';

for (const [what, make] of Object.entries(throwables)) {
  test(`${what} is logged in words, when it was thrown`, () => {
    const { message, stack, ...rest } = readableError(make());

    assert.equal(typeof message, 'string');
    assert.ok(stack === undefined || typeof stack === 'string');
    assert.ok(JSON.stringify({ message, stack, ...rest }).length < 100_000);
  });

  test(`a log that cannot read ${what} throws nothing, and gets its words`, () => {
    const written: unknown[] = [];
    const error = (fields: object): void => {
      const { err } = fields as { err: Error };
      Object.assign(err, { seen: true });
      written.push(`${err.message} ${err.stack}`);
    };

    guardedLog({ ...silentLog, error }).error({ err: make(), executionId: 'e' }, 'a workflow has failed');

    assert.equal(written.length, 1);
  });
}

test('an error is logged with its class, its causes and its members', () => {
  class PaymentError extends Error {
    readonly code = 'refused';
  }
  const cause = new TypeError('no such card');

  const { type, message, stack, code } = readableError(new PaymentError('not paid', { cause }));

  assert.deepEqual([type, message, code], ['PaymentError', 'not paid', 'refused']);
  assert.match(String(stack), /not paid[\s\S]*caused by: TypeError: no such card/);
});
