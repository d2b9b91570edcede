/** `docs/from-nat.md` says something of every documented name of NAT, names only what there is, and its example runs. */
import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as fermata from '../../runtime/index.ts';
import { readPage } from '../support/markdown.ts';
import { sessionManager } from '../support/session-manager.ts';
import { storeStates, storeTable } from '../support/store-table.ts';
import { documented } from './nat-names.ts';

const documentation = await readPage('docs/from-nat.md');
const { text: markdown, url: page } = documentation;

const codesOf = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

const names = documentation.rows('NAT', 'Here', 'Note').map(([nat, here, note]) => ({
  nat: codesOf(nat)[0],
  here: codesOf(here),
  note: note ?? '',
}));

test('every documented name of NAT has one row, and no other has any', () => {
  assert.deepEqual(names.map(({ nat }) => nat).sort(), [...documented].sort());
});

test('what has no counterpart has a reason', () => {
  for (const { nat, here, note } of names) if (here.length === 0) assert.notEqual(note, '', nat);
});

test('every name of ours exists, as an export, a member of an exported class, or an option', async (t) => {
  const samples = await given(t);
  const exports: Readonly<Record<string, unknown>> = fermata;
  const exists = (name: string): boolean => {
    const [owner = '', member] = name.split('.');
    if (member === undefined) return owner in exports;
    const exported = exports[owner];
    return [samples[owner], exported].some((it) => isObject(it) && member in it);
  };

  const missing = names.flatMap(({ here }) => here).filter((name) => !exists(name));

  assert.deepEqual(missing, []);
});

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** One of each class, and of each kind of options with all of its members. */
const given = async (t: TestContext): Promise<Readonly<Record<string, object>>> => {
  const { ExecutionStore, defaults, silentLog: log, systemClock: clock, text, workflow } = fermata;
  const ask = workflow({ name: 'ask', run: (_input, ctx) => ctx.prompt(text({ text: 'Name?' })) });
  const { manager } = await sessionManager(t, ask);
  const session = await manager.session();
  const store = new ExecutionStore(manager.runtime);
  const record = await store.createExecution();
  const { executionId } = record;
  const pending = await store.setInteractionRequired(executionId, text({ text: 'Name?' }));
  await store.setOauthRequired(executionId, 'https://idp.example', 'state');
  const request: Required<fermata.SessionRequest> = {
    ...fermata.metadataFromHttpRequest({}),
    userId: undefined,
    userInputCallback: undefined,
    userAuthenticationCallback: undefined,
  };
  const runOptions: Required<fermata.RunOptions> = {
    parentId: undefined,
    parentName: undefined,
    streaming: false,
    interactive: true,
  };
  const setup: Pick<
    Required<fermata.SessionManagerSetup<unknown>>,
    'workflow' | 'maxConcurrency' | 'options' | 'log' | 'clock'
  > = { workflow: ask, maxConcurrency: 8, options: defaults, log, clock };
  const storeOptions: Required<fermata.ExecutionStoreOptions> = { ttlSeconds: 600, clock };
  return {
    Runtime: manager.runtime,
    RuntimeOptions: defaults,
    SessionManager: manager,
    SessionManagerSetup: setup,
    Session: session,
    SessionRequest: request,
    RunOptions: runOptions,
    SessionRun: await session.run(null),
    PerUserBuilderInfo: session.builder,
    ExecutionStore: store,
    ExecutionStoreOptions: storeOptions,
    ExecutionRecord: record,
    PendingInteraction: pending,
    PendingOAuth: record.pendingOauth ?? assert.fail('there is a consent'),
  };
};

test('the table of the store is the one that its test walks through', () => {
  const rows = documentation
    .rows('It is', ...storeStates)
    .map(([event, ...outcomes]) => [event, outcomes.flatMap(codesOf)]);

  assert.deepEqual(Object.fromEntries(rows), storeTable);
});

test('a number of a difference that a row refers to is explained', () => {
  const explained = documentation.rows('', 'NAT', 'Here', 'Shown by').map(([number]) => number);
  const referred = names.flatMap(({ note }) => note.match(/\bS\d+\b/g) ?? []);

  const unexplained = referred.filter((number) => !explained.includes(number));

  assert.deepEqual(unexplained, []);
  assert.equal(new Set(explained).size, explained.length);
});

test('every link leads somewhere', async () => {
  const links = [...markdown.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!.replaceAll('\n', ''));
  assert.ok(links.length > 0);

  for (const link of links) {
    if (link.startsWith('#')) assert.ok(anchors().includes(link), link);
    else await access(new URL(link, page));
  }
});

const anchors = (): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(
    ([, title]) =>
      `#${title!
        .toLowerCase()
        .replaceAll(/[^\w ]/g, '')
        .replaceAll(' ', '-')}`,
  );

test('the example prints what it says', async (t) => {
  const [, example = ''] = /```ts\n(.+?)```/s.exec(markdown) ?? [];
  const [, expected] = /console\.log\(.*\); \/\/ (.+)\n/.exec(example) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'from-nat-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'example.mts');
  await writeFile(file, example.replace("'fermata'", `'${new URL('../../runtime/index.ts', import.meta.url)}'`));
  const printed: unknown[] = [];
  t.mock.method(console, 'log', (line: unknown) => printed.push(line));

  await import(pathToFileURL(file).href);

  assert.deepEqual(printed, [expected]);
});
