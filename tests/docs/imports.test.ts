/** Imports point one way: machines <- runtime <- server. What only looks back for a type is no import of a value. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { test } from 'node:test';

type Import = { readonly from: string; readonly to: string; readonly isType: boolean };

const root = new URL('../../', import.meta.url);

const sourcesOf = async (folder: string): Promise<{ file: string; text: string }[]> => {
  const names = await readdir(new URL(folder, root), { recursive: true });
  const files = names.filter((name) => /\.(tsx?|mjs)$/.test(name)).map((name) => join(folder, name));
  return Promise.all(files.sort().map(async (file) => ({ file, text: await readFile(new URL(file, root), 'utf8') })));
};

/** Statements of `import ... from` and `export ... from`, and imports for their effect; ours by path, packages by name. */
const importsOf = ({ file, text }: { file: string; text: string }): Import[] => {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:([^;'"=]*?)\sfrom\s*)?'([^']+)';/gms);
  return [...statements].map(([, type, names = '', target = '']) => {
    const inBraces = /^\{(.*)\}$/s.exec(names.trim())?.[1];
    const items = inBraces?.split(',').filter((item) => item.trim() !== '');
    const isType = type !== undefined || items?.every((item) => /^\s*type\s/.test(item)) === true;
    return { from: file, to: target.startsWith('.') ? join(dirname(file), target) : target, isType };
  });
};

const folders = ['machines', 'runtime', 'server', 'cli', 'client', 'console/src', 'testing', 'examples'];
const sources = (await Promise.all(folders.map(sourcesOf))).flat();
const imports = sources.flatMap(importsOf);
const valuesIn = (folder: string): Import[] =>
  imports.filter(({ from, isType }) => !isType && from.startsWith(`${folder}/`));
const isPackage = (to: string): boolean =>
  !/^(machines|runtime|server|cli|client|console|testing|examples|tests|bench)\//.test(to);
const shown = ({ from, to }: Import): string => `${from} -> ${to}`;

test('the imports are read: values and types are told apart', () => {
  const text = [
    "import { a, type B } from './a.ts';",
    "import type { C } from '../c.ts';",
    "import {\n  type D,\n  type E,\n} from 'd';",
    "export { f } from './f.ts';",
    "import './g.ts';",
    "import h, * as i from 'node:h';",
  ].join('\n');

  const read = importsOf({ file: 'runtime/x.ts', text }).map(({ to, isType }) => (isType ? `type ${to}` : to));

  assert.deepEqual(read, ['runtime/a.ts', 'type c.ts', 'type d', 'runtime/f.ts', 'runtime/g.ts', 'node:h']);
  assert.ok(imports.length > 200);
});

/** The one exception: who places a drawing has a library for it. */
const isLayout = (from: string, to: string): boolean =>
  from === 'machines/drawing/layout.ts' && to.startsWith('elkjs/');

test('machines import xstate and each other, and no value else', () => {
  const wrong = valuesIn('machines').filter(
    ({ from, to }) => to !== 'xstate' && !to.startsWith('machines/') && !isLayout(from, to),
  );

  assert.deepEqual(wrong.map(shown), []);
});

test('the client imports itself and one package, since browsers load it', () => {
  const wrong = valuesIn('client').filter(({ to }) => !to.startsWith('client/') && to !== 'eventsource-parser');

  assert.deepEqual(wrong.map(shown), []);
});

test('the client has types of machines beside its own, since front ends check them', () => {
  const types = imports.filter(({ from, isType }) => isType && from.startsWith('client/'));
  const wrong = types.filter(({ to }) => !/^(client|machines)\//.test(to) && to !== 'eventsource-parser');

  assert.deepEqual(wrong.map(shown), []);
  assert.ok(types.some(({ to }) => to.startsWith('machines/')));
});

test('the machines that the client has types of import each other and no package', () => {
  const reached = new Set(imports.filter(({ from }) => from.startsWith('client/')).map(({ to }) => to));
  for (const file of reached) for (const { from, to } of imports) if (from === file) reached.add(to);
  const wrong = imports.filter(({ from, to }) => reached.has(from) && from.startsWith('machines/') && isPackage(to));

  assert.deepEqual(wrong.map(shown), []);
  assert.ok(reached.has('machines/prompts.ts') && !reached.has('machines/execution.ts'));
});

test('the test kit imports machines, the runtime and packages: there is no server in it', () => {
  const wrong = valuesIn('testing').filter(({ to }) => !isPackage(to) && !/^(machines|runtime|testing)\//.test(to));
  assert.deepEqual(wrong, []);
});

test('the console imports the client, machines and packages: it uses the public API only', () => {
  const wrong = valuesIn('console').filter(({ to }) => !isPackage(to) && !/^(machines|client|console)\//.test(to));

  assert.deepEqual(wrong.map(shown), []);
});

test('the runtime imports machines, packages and itself', () => {
  const wrong = valuesIn('runtime').filter(({ to }) => !isPackage(to) && !/^(machines|runtime)\//.test(to));

  assert.deepEqual(wrong.map(shown), []);
  assert.ok(
    !imports.some(({ from, to }) => from.startsWith('runtime/') && to.startsWith('server/')),
    'not even a type',
  );
});

test('the server imports the runtime by its index only', () => {
  const wrong = valuesIn('server').filter(
    ({ to }) => !isPackage(to) && !to.startsWith('server/') && to !== 'runtime/index.ts' && to !== 'package.json',
  );

  assert.deepEqual(wrong.map(shown), []);
});

/** The folders that `server/protocols.ts` lists. */
const protocols = imports.flatMap(({ from, to }) => {
  const folder = from === 'server/protocols.ts' ? /^server\/(\w+)\/\1\.ts$/.exec(to)?.[1] : undefined;
  return folder === undefined ? [] : [folder];
});

test('a protocol reaches the seam and what all share, and no other protocol, be it for a type', () => {
  const own = (file: string) => /^server\/(\w+)\//.exec(file)?.[1] ?? '';
  const wrong = imports.filter(
    ({ from, to }) =>
      protocols.includes(own(from)) &&
      to.startsWith('server/') &&
      own(to) !== own(from) &&
      !/^server\/((http|identity|wire)\/|(protocol|package)\.ts$)/.test(to),
  );

  assert.deepEqual(wrong.map(shown), []);
  assert.deepEqual(protocols.toSorted(), ['api', 'files', 'nat', 'openapi', 'operator']);
});

test('what protocols share knows none of them', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      /^server\/(http|identity|wire)\//.test(from) && protocols.some((name) => to.startsWith(`server/${name}/`)),
  );

  assert.deepEqual(wrong.map(shown), []);
});

test('the libraries that speak HTTP are known in the folder of their adapter, and nowhere else', () => {
  const folders = ['uws', 'node'].map((name) => `server/http/${name}/`);
  const isIn = (file: string) => folders.find((folder) => file.startsWith(folder));
  const wrong = imports.filter(({ from, to }) => (to === 'ws' || isIn(to)) && isIn(from) !== (isIn(to) ?? folders[1]));
  const talking = sources.filter(({ file, text }) => isIn(file) === undefined && /\buWS\b/.test(text));

  assert.deepEqual(wrong.map(shown), []);
  assert.deepEqual(
    talking.map(({ file }) => file),
    [],
  );
});

test('the command line imports the runtime by its index, and no other part imports the command line', () => {
  const inner = valuesIn('cli').filter(({ to }) => to.startsWith('runtime/') && to !== 'runtime/index.ts');
  const looksIn = imports.filter(
    ({ from, to }) => to.startsWith('cli/') && !/^(cli\/|examples\/check\.ts$)/.test(from),
  );

  assert.deepEqual([...inner, ...looksIn].map(shown), []);
});

test('examples import what a user could', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      from.startsWith('examples/') && from !== 'examples/check.ts' && !isPackage(to) && !to.startsWith('examples/'),
  );

  assert.deepEqual(wrong.map(shown), []);
});

test('the server draws machines, and does nothing else with them', () => {
  const dynamic = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/import\('(\.[^']+)'\)/g)].map(([, target]) => ({
      from: file,
      to: join(dirname(file), target!),
    })),
  );
  const drawing = dynamic.filter(({ from, to }) => /^(server|cli)\//.test(from) && to.startsWith('machines/'));

  assert.ok(drawing.length > 0);
  assert.deepEqual([...new Set(drawing.map(({ from }) => from))], ['cli/commands/graph.ts']);
});

test('what only graph or run needs is not loaded with the command line', () => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { from, to, isType } of imports) if (from === file && !isType) load(to);
  };

  load('cli/main.ts');

  assert.ok(loaded.has('cli/commands/run.ts'));
  assert.deepEqual(
    [...loaded].filter((it) => /^elkjs|^@clack|^machines\/drawing|person\.ts$/.test(it)),
    [],
  );
});

test('nothing imports itself by way of others, be it for a type', () => {
  const targetsOf = (file: string) => imports.filter(({ from }) => from === file);
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    else if (!done.has(file)) for (const { to } of targetsOf(file)) walk(to, [...path, file]);
    done.add(file);
  };

  for (const { file } of sources) walk(file, []);

  assert.deepEqual(circles, []);
});

test('only main.ts reads the environment, except that the test kit looks for its test runner', () => {
  const readers = sources
    .filter(({ file, text }) => !file.startsWith('examples/') && /process\.env(?!\.\w+ = )/.test(text))
    .map(({ file }) => file);

  assert.deepEqual(readers, ['cli/main.ts', 'testing/runner.ts']);
});
