/** The pages for newcomers work as they stand: files are saved, commands are pasted, and the output is compared. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCommandLine } from '../../cli/command-line.ts';
import { readConfig } from '../../cli/config/read.ts';
import { filesOf, folderOf, follow } from '../support/guide.ts';
import { readPage } from '../support/markdown.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the quick start runs from the first command to the last', async (t) => {
  assert.equal(await follow(t, await readPage('docs/quick-start.md')), 7);
});

test('the first agent runs, and its test passes', async (t) => {
  assert.equal(await follow(t, await readPage('docs/first-agent.md')), 5);
});

test('the mistake that the first agent suggests is found by its test', async (t) => {
  const page = await readPage('docs/first-agent.md');
  const blocks = page.blocks.map((block) => ({
    ...block,
    code: block.code.replace(/(Refund \$\{amount)(\})/, '$1 + Math.random()$2'),
  }));

  await assert.rejects(follow(t, { ...page, blocks: blocks.filter(({ info }) => !/^sh (serve|run)$/.test(info)) }), {
    message: /Command failed/,
    stdout: /To play this path alone/,
  });
});

test('the consent of the page on OAuth is asked for at the provider, and its files are good', async (t) => {
  const page = await readPage('docs/oauth.md');
  const variables = { GOOGLE_CLIENT_ID: 'agenda', GOOGLE_CLIENT_SECRET: 'of the agenda' };
  const text = filesOf(page).get('production.yaml')!;
  const folder = await folderOf(t, page);

  assert.equal(await follow(t, page, variables), 1);
  const { identity } = readConfig({ file: join(folder, 'production.yaml'), text, env: variables });
  assert.deepEqual(identity?.accepted, ['jwt']);
});

test('the page of the React guide has no type errors', async (t) => {
  const folder = await folderOf(t, await readPage('docs/react.md'));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
    paths: { '@fermata/client': [join(root, 'client/index.ts')] },
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', '*.tsx'] }));

  const checked = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  });

  assert.equal(checked.stdout, '');
  assert.equal(checked.status, 0);
});

test('every fermata command of the pages on OAuth, React and operating can be typed', async () => {
  const pages = await Promise.all(['oauth', 'react', 'operating'].map((name) => readPage(`docs/${name}.md`)));
  const typed = pages.flatMap(({ blocks }) =>
    blocks.flatMap(({ code }) => code.match(/(?<=^npx fermata ).+$/gm) ?? []),
  );
  assert.ok(typed.length > 6);

  for (const line of typed) assert.notEqual(readCommandLine(line.replace(/ > .*$/, '').split(' ')).run, 'print', line);
});

for (const name of ['README', 'quick-start', 'first-agent', 'react', 'oauth', 'deploying', 'operating']) {
  test(`every link of docs/${name}.md leads to a file`, async () => {
    const { links } = await readPage(`docs/${name}.md`);
    assert.ok(links.length > 0);

    for (const url of links) await access(url);
  });
}
