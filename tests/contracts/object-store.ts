/** What `server/files/object-store.ts` promises, for every store there is. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { ObjectStore, StoredObject } from '../../server/files/object-store.ts';

/** An empty store; what it needs beside ends with the test. */
export type OpenObjectStore = (t: TestContext) => Promise<ObjectStore>;

const object = (data: string | Buffer, contentType = 'text/plain'): StoredObject => ({
  data: Buffer.from(data as string),
  contentType,
});

/** The whole object, in small pieces. */
export const read = async (store: ObjectStore, key: string): Promise<StoredObject | undefined> => {
  const opened = await store.open(key);
  if (opened === undefined) return undefined;
  const { content, contentType } = opened;
  const pieces: Buffer[] = [];
  for (let left = content.length; left > 0; left -= pieces.at(-1)!.length) pieces.push(await content.read(1_000));
  content.close();
  return { data: Buffer.concat(pieces), contentType };
};

/** Texts that are no keys, and those that would lead somewhere if a store took them for paths. */
export const hostileKeys = [
  ['', '.', '..', '/', '/etc/passwd', '../x', 'a/../../x', 'a/..', 'a//b', 'a/', './a', 'a/./b'],
  ['..\\x', 'C:\\x', 'a\\b', 'a\0', '\0', 'a\nb', 'a\u0085b', '\ud800', 'x'.repeat(513), 'é'.repeat(257)],
].flat();

const hostile = fc.oneof(
  fc.constantFrom(...hostileKeys),
  fc
    .array(fc.constantFrom('a', 'é', '.'), { maxLength: 4 })
    .chain((names) => fc.constantFrom('..', '.', '', 'a\\b', '\0').map((bad) => [...names, bad, 'b'].join('/'))),
);

const sound = fc
  .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .filter((segments) => segments.every((one) => one !== '.' && one !== '..' && !/[/\\\p{Cc}\p{Cs}]/u.test(one)))
  .map((segments) => segments.join('/'));

export const objectStoreContract = (name: string, open: OpenObjectStore): void => {
  const contract = (what: string, check: (store: ObjectStore) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => check(await open(t)));

  contract('what was put is got, byte for byte and with its type, until it is replaced or deleted', async (store) => {
    const first = object(Buffer.from([0, 1, 10, 13, 255, 0]), 'application/octet-stream');
    await store.put('a/b.bin', first);
    assert.deepEqual(await read(store, 'a/b.bin'), first);

    await store.put('a/b.bin', object('', 'text/html'));
    assert.deepEqual(await read(store, 'a/b.bin'), object('', 'text/html'));

    assert.equal(await store.delete('a/b.bin'), true);
    assert.equal(await store.delete('a/b.bin'), false);
    assert.equal(await read(store, 'a/b.bin'), undefined);
  });

  contract('what is created does not replace what there is, and of many at once one succeeds', async (store) => {
    const created = await Promise.all(['1', '2', '3', '4'].map((text) => store.create('a', object(text))));
    const winner = await read(store, 'a');

    assert.equal(created.filter(Boolean).length, 1);
    assert.deepEqual(winner, object(String(created.indexOf(true) + 1)));
    assert.equal(await store.create('a', object('5')), false);
    assert.deepEqual(await read(store, 'a'), winner);
  });

  contract('a key is only a name: one may begin another, and letters, spaces and case count', async (store) => {
    const keys = [
      'a',
      'a/b',
      'a/b/c',
      'A',
      'a ',
      ' a',
      'é',
      'e\u0301',
      '%2e%2e',
      '...',
      'a:b',
      '-',
      '~',
      'constructor',
    ];
    for (const key of keys) assert.equal(await store.create(key, object(key)), true, key);

    for (const key of keys) assert.deepEqual(await read(store, key), object(key), key);
    await store.delete('a');
    assert.deepEqual(await read(store, 'a/b'), object('a/b'));
  });

  contract('any sound key holds any bytes', async (store) => {
    await fc.assert(
      fc.asyncProperty(sound, fc.uint8Array({ maxLength: 300 }), async (key, bytes) => {
        await store.put(key, object(Buffer.from(bytes)));
        assert.deepEqual((await read(store, key))?.data, Buffer.from(bytes));
        assert.equal(await store.delete(key), true);
      }),
      { numRuns: 50 },
    );
  });

  contract('what is no key is refused by every method', async (store) => {
    await fc.assert(
      fc.asyncProperty(hostile, async (key) => {
        await assert.rejects(store.create(key, object('x')), TypeError);
        await assert.rejects(store.put(key, object('x')), TypeError);
        await assert.rejects(store.open(key), TypeError);
        await assert.rejects(store.delete(key), TypeError);
      }),
      { numRuns: 100 },
    );
  });

  contract('many who put and read the same key see whole objects', async (store) => {
    const versions = ['a', 'b', 'c', 'd'].map((letter) => object(letter.repeat(100_000)));
    await store.put('k', versions[0]!);

    const reads = await Promise.all(
      versions.flatMap((version) => [store.put('k', version).then(() => version), read(store, 'k'), read(store, 'k')]),
    );

    for (const each of reads) assert.ok(versions.some(({ data }) => each?.data.equals(data)));
  });

  contract('an object that is replaced or deleted while it is read is read to its end', async (store) => {
    const change = [() => store.put('k', object('other')), () => store.delete('k')];
    for (const instead of change) {
      await store.put('k', object('x'.repeat(200_000)));
      const { content } = (await store.open('k'))!;
      const first = await content.read(50_000);

      await instead();

      let length = first.length;
      while (length < content.length) length += (await content.read(50_000)).length;
      content.close();
      assert.equal(length, 200_000);
    }
  });
};
