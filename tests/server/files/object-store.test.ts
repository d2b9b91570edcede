/** The stores of objects: their contract, and what each has beside it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Failure } from '../../../runtime/index.ts';
import { DirectoryStore } from '../../../server/files/directory-store.ts';
import { MemoryObjectStore } from '../../../server/files/object-store.ts';
import { openObjectStore } from '../../../server/files/open.ts';
import { StoreFullError } from '../../../server/files/store-full-error.ts';
import { objectStoreContract, read } from '../../contracts/object-store.ts';

const given = {
  folder: async (t: TestContext): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'fermata-objects-'));
    t.after(() => rm(folder, { recursive: true }));
    return folder;
  },
  directory: async (t: TestContext) => {
    const folder = await given.folder(t);
    const directory = join(folder, 'store');
    return { folder, directory, store: await DirectoryStore.open(directory) };
  },
};

const object = (text: string) => ({ data: Buffer.from(text), contentType: 'text/plain' });

objectStoreContract('memory', async () => new MemoryObjectStore(10_000_000));
objectStoreContract('directory', async (t) => (await given.directory(t)).store);

test('a store in memory refuses what would be too much, until something else has gone', async () => {
  const store = new MemoryObjectStore(2_000);
  await store.put('a', object('x'.repeat(900)));

  await assert.rejects(store.put('b', object('x'.repeat(900))), StoreFullError);
  await assert.rejects(store.create('b', object('x'.repeat(900))), StoreFullError);
  await assert.rejects(store.put('a', object('x'.repeat(1_500))), StoreFullError);
  assert.deepEqual(await read(store, 'a'), object('x'.repeat(900)));
  assert.equal(await read(store, 'b'), undefined);
  await store.put('a', object('x'.repeat(1_400)));
  await store.delete('a');
  await store.put('b', object('x'.repeat(1_400)));
});

test('a store in memory counts small objects too', async () => {
  const store = new MemoryObjectStore(10_000);
  const putAll = async () => {
    for (let index = 0; index < 1_000; index += 1) await store.put(String(index), object(''));
  };

  await assert.rejects(putAll(), StoreFullError);
});

test('a directory keeps its objects for the next process, and nothing but them', async (t) => {
  const { directory, store } = await given.directory(t);
  await store.create('a/b', object('one'));
  await store.create('a/b', object('two'));
  await store.put('c', object('three'));
  await store.put('c', object('four'));

  const next = await DirectoryStore.open(directory);

  assert.deepEqual(await read(next, 'a/b'), object('one'));
  assert.deepEqual(await read(next, 'c'), object('four'));
  assert.equal((await readdir(directory)).length, 2);
  for (const name of await readdir(directory)) assert.match(name, /^[0-9a-f]{64}$/);
});

test('whatever a client calls its files, none lies outside the directory', async (t) => {
  const { folder, store } = await given.directory(t);

  for (const key of ['%2e%2e/x', '..%2fx', '...', '~/x', 'a/b/c', '. ./x']) await store.put(key, object('x'));

  assert.deepEqual(await readdir(folder), ['store']);
});

test('a link in the directory is not followed: not read, not written through, only replaced or removed', async (t) => {
  const { folder, directory, store } = await given.directory(t);
  const secret = join(folder, 'secret');
  await writeFile(secret, '{"key":"a","contentType":"text/plain"}\nsecret');
  await store.put('a', object('x'));
  const [name = ''] = await readdir(directory);
  const relink = async () => {
    await rm(join(directory, name), { force: true });
    await symlink(secret, join(directory, name));
  };

  await relink();
  await assert.rejects(read(store, 'a'), { code: 'ELOOP' });
  assert.equal(await store.create('a', object('y')), false);
  await store.put('a', object('y'));
  assert.deepEqual(await read(store, 'a'), object('y'));
  await relink();
  assert.equal(await store.delete('a'), true);

  assert.match(await readFile(secret, 'utf8'), /secret$/);
});

test('a file that is not what its name says is not given away', async (t) => {
  const { directory, store } = await given.directory(t);
  await store.put('a', object('x'));
  const [name = ''] = await readdir(directory);

  for (const content of ['', '{"key":"b","contentType":"text/plain"}\nx', 'x', '{"key":"a"']) {
    await writeFile(join(directory, name), content);

    await assert.rejects(read(store, 'a'), Error, content);
  }
});

test('what a crash has left behind is removed when the next process starts, and what is being written is not', async (t) => {
  const { directory } = await given.directory(t);
  const [old, fresh] = [join(directory, 'old.unfinished'), join(directory, 'fresh.unfinished')];
  for (const file of [old, fresh, join(directory, 'of somebody else')]) await writeFile(file, 'x');
  const hoursAgo = Date.now() / 1_000 - 7_200;
  await utimes(old, hoursAgo, hoursAgo);

  await DirectoryStore.open(directory);

  assert.deepEqual((await readdir(directory)).sort(), ['fresh.unfinished', 'of somebody else']);
});

test('a place that is no directory is refused as an option', async (t) => {
  const file = join(await given.folder(t), 'file');
  await writeFile(file, '');

  await assert.rejects(openObjectStore(join(file, 'below'), 1), (thrown: unknown) => {
    assert.ok(thrown instanceof Failure);
    assert.equal(thrown.code, 'options_invalid');
    return /object_store: the directory cannot be used/.test(thrown.message);
  });
  assert.ok((await openObjectStore('memory', 1)) instanceof MemoryObjectStore);
});

test('a directory on a disk without room refuses what would be too much, and goes on when there is room', async (t) => {
  const folder = await given.folder(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  if (mounted.status !== 0) return t.skip('a small disk can only be made by root');
  try {
    const store = await DirectoryStore.open(folder);
    await store.put('a', object('x'.repeat(100_000)));

    await assert.rejects(store.put('b', object('x'.repeat(200_000))), StoreFullError);
    await assert.rejects(store.create('b', object('x'.repeat(200_000))), StoreFullError);

    await store.delete('a');
    await store.put('b', object('x'.repeat(200_000)));
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
});
