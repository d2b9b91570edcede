/** No file knows the machine on which it was written, or where its packages came from. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const ignored = /^(node_modules|\.git|\.fermata)(\/|$)/;

const names = await readdir(root, { recursive: true, withFileTypes: true });
const files = names
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fileURLToPath(root).length).replace(/^\//, ''))
  .filter((file) => !ignored.test(file));

/** Other tests write files of their own beside this one, and remove them. */
const unlessGone = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'ENOENT') return '';
  throw error;
};

test('no file names a folder of this machine, or the host of a registry', async () => {
  const here = [fileURLToPath(root), `${homedir()}/`].filter((path) => /^\/[^/]+\/[^/]+/.test(path)); // others are words
  assert.ok(files.includes('package-lock.json') && files.includes('README.md'));

  const found: string[] = [];
  for (const file of files) {
    const text = await readFile(new URL(file, root), 'utf8').catch(unlessGone);
    if (/\bregistry\.[a-z]/.test(text) || here.some((path) => text.includes(path))) found.push(file);
  }

  assert.deepEqual(found, []);
});
