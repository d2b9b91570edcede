/** What `runtime/store/vault.ts` promises, for every store that has a vault. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Vault } from '../../runtime/store/vault.ts';

interface VaultWorld {
  readonly vault: Vault;
  /** Another process opens the same data, with this secret. */
  reopen(secret?: string): Promise<Vault>;
  /** Everything that is stored, as text. */
  stored(): Promise<string>;
}

/** Opens an empty vault, with a secret or without; it ends with the test. */
export type OpenVault = (t: TestContext, secret?: string) => Promise<VaultWorld>;

const SECRET = 'a secret of at least thirty-two characters';

export const vaultContract = (name: string, open: OpenVault): void => {
  const contract = (what: string, secret: string | undefined, check: (world: VaultWorld) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => check(await open(t, secret)));

  contract('a value is there as soon as it was put, and in the next process', SECRET, async ({ vault, reopen }) => {
    vault.put('builder', 'a', '1');
    vault.put('builder', 'a', '2');
    vault.put('flow', 'a', '3');
    assert.deepEqual([await vault.get('builder', 'a'), await vault.get('flow', 'a')], ['2', '3']);

    const next = await reopen(SECRET);

    assert.deepEqual([await next.get('builder', 'a'), await next.get('flow', 'a')], ['2', '3']);
    assert.equal(await next.get('token', 'a'), undefined);
  });

  contract('a removed value is gone at once, and in the next process', SECRET, async ({ vault, reopen }) => {
    vault.put('builder', 'a', '1');
    vault.put('builder', 'b', '1');
    vault.remove('builder', 'a');
    vault.remove('builder', 'never');
    assert.equal(await vault.get('builder', 'a'), undefined);

    const next = await reopen(SECRET);

    assert.equal(await next.get('builder', 'a'), undefined);
    next.remove('builder', 'b');
    assert.equal(await next.get('builder', 'b'), undefined);
    assert.deepEqual(await (await reopen(SECRET)).keys('builder', '', 10), []);
  });

  contract('keys are in the order of their characters, with those that are not stored yet', SECRET, async (world) => {
    for (const key of ['b', 'a-b', 'A', 'a_b']) world.vault.put('flow', key, '1');
    const next = await world.reopen(SECRET);
    next.put('flow', 'aa', '1');
    next.remove('flow', 'b');

    assert.deepEqual(await next.keys('flow', '', 10), ['A', 'a-b', 'a_b', 'aa']);
    assert.deepEqual(await next.keys('flow', 'a-b', 1), ['a_b']);
    assert.deepEqual(await next.keys('flow', 'aa', 10), []);
    assert.deepEqual(await next.keys('token', '', 10), []);
  });

  contract('what is secret is not readable where it is stored, and only the key opens it', SECRET, async (world) => {
    world.vault.put('token', 't', 'very secret token');
    world.vault.put('flow', 'f', 'very secret flow');
    world.vault.put('builder', 'b', 'a public count');

    const other = await world.reopen('another secret of thirty-two characters');

    assert.deepEqual([await other.get('token', 't'), await other.get('flow', 'f')], [undefined, undefined]);
    assert.equal(await other.get('builder', 'b'), 'a public count');
    const stored = await world.stored();
    assert.match(stored, /a public count/);
    assert.doesNotMatch(stored, /very secret/);
    assert.equal(await (await world.reopen(SECRET)).get('token', 't'), 'very secret token');
  });

  contract('without a key tokens are not stored, and consents are', undefined, async ({ vault, reopen }) => {
    assert.equal(vault.seals, false);
    vault.put('token', 't', 'token');
    vault.put('flow', 'f', 'flow');
    assert.equal(await vault.get('token', 't'), undefined);

    const next = await reopen();

    assert.deepEqual([await next.get('token', 't'), await next.get('flow', 'f')], [undefined, 'flow']);
  });
};
