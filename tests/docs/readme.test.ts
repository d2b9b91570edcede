/** What the README says works as it stands there: pasted in order, copied into a file, or followed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect, promisify } from 'node:util';
import hello from '../../examples/01-hello.ts';
import publication from '../../examples/03-parallel-prompts.ts';
import { given } from '../support/given.ts';
import { codeIn, patternOf, readPage } from '../support/markdown.ts';
import { fermata } from '../support/process.ts';
import { openSocket, type SocketClient } from '../support/web-socket.ts';

const readme = await readPage('README.md');
const root = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>;
};
const shell = promisify(execFile);

/** Each command with the block that follows it: the expected output. */
const expectations = readme.blocks.flatMap(({ info, code }, index) =>
  info === 'sh run' ? [{ code, printed: readme.blocks[index + 1]! }] : [],
);
test('the commands of the first walk print what the page says, one after the other', async (t) => {
  const [, module = ''] = /serve (\S+)$/.exec(scripts.start ?? '') ?? [];
  const url = await fermata(t, ['serve', module, '--port', '0']).url();
  const end = '\u001e';
  const script = expectations.map(({ code }) => `${code}printf '${end}'\n`).join('');

  const { stdout } = await shell('sh', ['-ec', script.replaceAll('http://localhost:8000', url)]);

  const printed = stdout.split(end).map((part) => part.trim());
  assert.ok(expectations.length >= 3);
  for (const [index, expected] of expectations.entries()) {
    assert.equal(expected.printed.info, 'text', 'what is printed follows the commands');
    assert.match(printed[index] ?? '', patternOf(expected.printed.code));
  }
});

test('the workflow on the page is the one that is served', async () => {
  const source = await readFile(new URL('examples/02-approval.ts', root), 'utf8');

  assert.ok(readme.blocks.some(({ info, code }) => info === 'ts' && code === source));
});

const programs = readme.blocks.filter(({ info }) => info === 'ts run');

test('there are programs on the page', () => assert.equal(programs.length, 3));

for (const [index, { code }] of programs.entries()) {
  test(`program ${index + 1} of the page prints what it says`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fermata-readme-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'program.mts');
    const [, expected] = /console\.log\(.*\); \/\/ (.+)\n/.exec(code) ?? [];
    const doors = {
      "'fermata/server'": 'server/index.ts',
      "'fermata/client'": 'client/index.ts',
      "'fermata'": 'runtime/index.ts',
      "'./examples/": 'examples/',
    };
    let program = code;
    for (const [written, path] of Object.entries(doors)) {
      program = program.replace(written, `'${new URL(path, root).href}${written.endsWith("'") ? "'" : ''}`);
    }
    await writeFile(file, program);

    const printed = await printedBy(t, pathToFileURL(file).href);

    assert.deepEqual(printed, [expected]);
  });
}

/** Objects as the console of Node shows them. */
const printedBy = async (t: TestContext, url: string): Promise<string[]> => {
  const printed: string[] = [];
  t.mock.method(console, 'log', (value: unknown) => printed.push(typeof value === 'string' ? value : inspect(value)));
  await import(url);
  return printed;
};

/** As much of a browser's WebSocket as the page uses. */
class PageSocket {
  onopen = (): void => {};
  onmessage = (_event: { data: string }): void => {};
  #client: SocketClient | undefined;

  constructor(url: string, ended: Promise<unknown>) {
    void this.#open(url.replace(/^ws/, 'http'), ended);
  }

  send(text: string): void {
    this.#client?.send(JSON.parse(text));
  }

  async #open(url: string, ended: Promise<unknown>): Promise<void> {
    const { client } = await openSocket(url);
    assert.ok(client);
    this.#client = client;
    void ended.then(() => client.drop());
    this.onopen();
    while (client.code === undefined) {
      await client.when(() => client.messages.length > 0 || client.code !== undefined);
      for (const message of client.messages.splice(0)) this.onmessage({ data: JSON.stringify(message) });
    }
  }
}

test('the socket of the page prints what it says', async (t) => {
  const { server } = await given.server(t, { workflow: publication });
  const { code } = readme.blocks.find(({ info }) => info === 'js socket')!;
  const [, expected] = /console\.log\(.*\); \/\/ (.+)\n/.exec(code) ?? [];
  let finish = (): void => {};
  const ended = new Promise<void>((resolve) => (finish = resolve));
  t.after(() => finish());
  class WebSocket extends PageSocket {
    constructor(url: string) {
      super(url.replace('ws://localhost:8000', server.url.replace(/^http/, 'ws')), ended);
    }
  }

  const printed = await new Promise((resolve) => {
    new Function('WebSocket', 'console', code)(WebSocket, { log: (value: string) => value !== '' && resolve(value) });
  });
  finish();

  assert.equal(printed, expected);
});

test('every route on the page is served', async (t) => {
  const config = { monitorUsers: true, asyncJobs: true, objectStore: 'memory' };
  const { call } = await given.server(t, { workflow: hello, config });
  const routes = readme.rows('Method and path', 'From', 'What it does').map(([route]) => codeIn(route).split(' '));
  assert.ok(routes.length > 5);

  for (const [method = '', path = ''] of routes) {
    const refused = await call(`PATCH ${path.replaceAll('{id}', 'x')}`);

    assert.equal(refused.status, 405, path);
    assert.ok(refused.headers.get('allow')?.includes(method), `${method} ${path}`);
  }
});

test('every npm script on the page exists', () => {
  const named = [...readme.text.matchAll(/npm (?:run )?(start|test|(?<=run )\w+)/g)].map(([, name]) => name!);
  assert.ok(new Set(named).size > 3);

  for (const name of named) assert.ok(name in scripts, name);
});

test('every file on the page exists', async () => {
  const paths = [...readme.text.matchAll(/[\s`]((?:examples|runtime|docs)\/[\w./-]+\w)/g)].map(([, path]) => path!);
  assert.ok(paths.length > 5);

  for (const url of [...readme.links, ...paths.map((path) => new URL(path, root))]) await access(url);
});
