/** What `runtime/store/vault.ts` promises, for every store that has a vault. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Counts } from '../../runtime/store/counts.ts';
import type { Vault } from '../../runtime/store/vault.ts';

interface VaultWorld {
  readonly vault: Vault;
  /** Another process opens the same data after this one. */
  reopen(): Promise<Vault>;
  /** Everything that is stored, as text. */
  stored(): Promise<string>;
}

/** Opens an empty vault, with a secret or without; it ends with the test. */
export type OpenVault = (t: TestContext, secret?: string) => Promise<VaultWorld>;

const SECRET = 'a secret of at least thirty-two characters';

const counts = (totalRequests: number, at: number): Counts => ({
  createdAt: at,
  lastActivity: at,
  totalRequests,
  errorCount: 1,
  totalLatencyMs: 0.5,
});

const keysOf = async (vault: Vault, ...asked: Parameters<Vault['entries']>) =>
  (await vault.entries(...asked)).map(([key]) => key);

/** `survives`: values outlive the process. */
export const vaultContract = (name: string, open: OpenVault, { survives = true } = {}): void => {
  const contract = (what: string, secret: string | undefined, check: (world: VaultWorld) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => check(await open(t, secret)));

  contract('a value is there as soon as it was put, and when its promise has resolved', SECRET, async ({ vault }) => {
    vault.put('builder', 'a', '1');
    const put = vault.put('builder', 'a', '2');
    vault.put('flow', 'a', '3');
    assert.deepEqual([await vault.get('builder', 'a'), await vault.get('flow', 'a')], ['2', '3']);

    await put;

    assert.deepEqual([await vault.get('builder', 'a'), await vault.get('flow', 'a')], ['2', '3']);
    assert.equal(await vault.get('token', 'a'), undefined);
  });

  contract('a removed value is gone at once, and when its promise has resolved', SECRET, async ({ vault }) => {
    vault.put('builder', 'a', '1');
    await vault.put('builder', 'b', '1');
    vault.remove('builder', 'a');
    const removed = vault.remove('builder', 'b');
    vault.remove('builder', 'never');
    assert.deepEqual([await vault.get('builder', 'a'), await vault.get('builder', 'b')], [undefined, undefined]);

    await removed;

    assert.deepEqual(await vault.entries('builder', ''), []);
  });

  contract('values are in the order of their keys, with those that are not stored yet', SECRET, async ({ vault }) => {
    for (const key of ['b', 'a-b', 'A', 'a_b']) await vault.put('flow', key, key);
    vault.put('flow', 'aa', '1');
    vault.remove('flow', 'b');

    assert.deepEqual(await vault.entries('flow', ''), [
      ['A', 'A'],
      ['a-b', 'a-b'],
      ['a_b', 'a_b'],
      ['aa', '1'],
    ]);
    assert.deepEqual(await keysOf(vault, 'flow', 'a'), ['a-b', 'a_b', 'aa']);
    assert.deepEqual(await keysOf(vault, 'flow', 'a', 'a-b', 1), ['a_b']);
    assert.deepEqual(await keysOf(vault, 'flow', '', 'aa', 10), []);
    assert.deepEqual(await keysOf(vault, 'flow', 'b', '', 10), []);
    assert.deepEqual(await keysOf(vault, 'token', '', '', 10), []);
  });

  contract(
    'a change sees the value, replaces or removes it, and does nothing without one',
    SECRET,
    async ({ vault }) => {
      for (const key of ['a', 'b', 'c']) await vault.put('flow', key, '1');
      const seen: unknown[] = [];
      const to = (next: string | undefined) => (value: string | undefined) => {
        seen.push(value);
        return next;
      };

      await vault.change('flow', 'a', to('2'));
      await vault.change('flow', 'b', to(undefined));
      await vault.change('flow', 'c', to('1'));
      await vault.change('flow', 'never', to('2'));

      const left = [
        ['a', '2'],
        ['c', '1'],
      ];
      assert.deepEqual(seen, ['1', '1', '1']);
      assert.deepEqual(await vault.entries('flow', ''), left);
      await vault.put('builder', 'later', '1'); // is committed after them
      assert.deepEqual(await vault.entries('flow', ''), left);
    },
  );

  contract('a change that is not stored yet is changed again, or stays', SECRET, async ({ vault }) => {
    vault.put('flow', 'a', '1');
    await vault.change('flow', 'a', () => '2');
    const changed = await vault.get('flow', 'a');
    await vault.put('builder', 'later', '1');

    assert.equal(changed, vault.isShared ? '1' : '2');
    assert.equal(await vault.get('flow', 'a'), changed);
  });

  contract('counters are added', undefined, async ({ vault }) => {
    await Promise.all([vault.count('a', counts(1, 5)), vault.count('a', counts(2, 7)), vault.count('b', counts(8, 1))]);
    await vault.count('a', counts(4, 3));

    assert.deepEqual(JSON.parse((await vault.get('builder', 'a'))!), {
      createdAt: 3,
      lastActivity: 7,
      totalRequests: 7,
      errorCount: 3,
      totalLatencyMs: 1.5,
    });
  });

  contract('a name has one claim until it is released', undefined, async ({ vault }) => {
    assert.deepEqual(await Promise.all([vault.claim('a'), vault.claim('a'), vault.claim('b')]), [true, false, true]);

    vault.release('a');
    vault.release('never');

    assert.deepEqual(await Promise.all([vault.claim('a'), vault.claim('b')]), [true, false]);
  });

  contract('without a key tokens are not stored, and consents are', undefined, async ({ vault }) => {
    assert.equal(vault.seals, false);
    await Promise.all([vault.put('token', 't', 'token'), vault.put('flow', 'f', 'flow')]);

    assert.deepEqual([await vault.get('token', 't'), await vault.get('flow', 'f')], [undefined, 'flow']);
  });

  if (!survives) return;

  contract('the next process has the same values', SECRET, async ({ vault, reopen }) => {
    vault.put('builder', 'a', '1');
    vault.put('flow', 'a', '2');
    vault.put('flow', 'b', '3');
    vault.remove('flow', 'b');
    await vault.claim('a name');

    const next = await reopen();

    assert.deepEqual(await Promise.all([next.get('builder', 'a'), next.get('flow', 'a')]), ['1', '2']);
    assert.deepEqual(await next.entries('flow', ''), [['a', '2']]);
    next.remove('builder', 'a');
    assert.deepEqual(await keysOf(await reopen(), 'builder', '', '', 10), []);
  });

  contract('what is secret is not readable where it is stored', SECRET, async ({ vault, stored, reopen }) => {
    vault.put('token', 't', 'very secret token');
    vault.put('flow', 'f', 'very secret flow');
    await vault.put('builder', 'b', 'a public count');
    await vault.change('flow', 'f', () => 'another very secret flow');
    await vault.put('builder', 'b', 'a public count');

    const text = await stored();

    assert.match(text, /a public count/);
    assert.doesNotMatch(text, /very secret/);
    const next = await reopen();
    assert.deepEqual(
      [await next.get('token', 't'), await next.get('flow', 'f')],
      ['very secret token', 'another very secret flow'],
    );
  });
};
