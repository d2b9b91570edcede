/**
 * Follows a page of docs as a reader does. Blocks with a file name are written, `sh serve` blocks start or restart the server,
 * `sh run` blocks are pasted into one shell, and `sh test` blocks run a test file.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './loopback.ts';
import { type Block, type Page, patternOf } from './markdown.ts';
import { type FermataProcess, fermata } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MARK = '\u001e';

/** The blocks of a page that are files, by name. */
export const filesOf = (page: Page): ReadonlyMap<string, string> =>
  new Map(
    page.blocks.flatMap(({ info, code }) => {
      const [, name] = /^\w+ (\S+\.\w+)$/.exec(info) ?? [];
      return name === undefined ? [] : [[name, code] as const];
    }),
  );

/** A folder with the files of the page, in which `fermata` and the packages of the repository can be imported. */
export const folderOf = async (t: TestContext, page: Page): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'fermata-guide-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const [name, code] of filesOf(page)) await writeFile(join(folder, name), code);
  return folder;
};

/** Resolves with how many commands it has run. `variables` are set for the server and the commands. */
export const follow = async (
  t: TestContext,
  page: Page,
  variables: Readonly<Record<string, string>> = {},
): Promise<number> => {
  const folder = await folderOf(t, page);
  const port = await freePort();
  const env = { ...variables, FERMATA_DATA: join(folder, '.fermata') };
  const shell = openShell(t, folder, env);
  let server: FermataProcess | undefined;
  let commands = 0;
  for (const [index, { info, code }] of page.blocks.entries()) {
    if (info === 'sh serve') {
      server?.signal('SIGINT');
      await server?.ended;
      const words = code.trim().split(/\s+/).slice(2);
      server = fermata(t, [...words, '--port', String(port)], env, '', folder);
      await server.url();
    } else if (info === 'sh run') {
      const printed = await shell(code.replaceAll('localhost:8000', `localhost:${port}`));
      assertPrinted(printed, code, page.blocks[index + 1]);
      commands += 1;
    } else if (info === 'sh test') {
      await runTest(code, folder);
      commands += 1;
    }
  }
  return commands;
};

const assertPrinted = (printed: string, code: string, expected: Block | undefined): void => {
  assert.equal(expected?.info, 'text', `a block of text with the output follows ${code}`);
  assert.match(printed, patternOf(expected.code), code);
};

/** One shell for all blocks, so that variables of one are there in the next. `npx fermata` is the command of the sources. */
const openShell = (t: TestContext, cwd: string, variables: Readonly<Record<string, string>>) => {
  const env = {
    ...process.env,
    ...variables,
    TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
    FERMATA_MEMORY: undefined,
  };
  const child: ChildProcessWithoutNullStreams = spawn('sh', [], { cwd, env });
  t.after(() => void child.kill('SIGKILL'));
  const main = `"${process.execPath}" --import "${import.meta.resolve('tsx')}" "${join(root, 'cli/main.ts')}"`;
  child.stdin.write(`npx() { shift; env -u FERMATA_DATA ${main} "$@" </dev/null; }\n`);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8');
  return async (code: string): Promise<string> => {
    child.stdin.write(`${code}\nprintf '${MARK}'\n`);
    let printed = '';
    while (!printed.includes(MARK)) {
      const piece = await nextPiece(child);
      if (piece === undefined) throw new Error(`The shell ended in ${code}: ${stderr}`);
      printed += piece;
    }
    return printed.replace(MARK, '').trim();
  };
};

const nextPiece = (child: ChildProcessWithoutNullStreams): Promise<string | undefined> =>
  new Promise((resolve) => {
    const settle = (piece: string | undefined): void => {
      child.stdout.off('data', settle).off('end', onEnd);
      resolve(piece);
    };
    const onEnd = (): void => settle(undefined);
    child.stdout.on('data', settle).on('end', onEnd);
  });

const runTest = async (code: string, cwd: string): Promise<void> => {
  const [file = ''] = code.trim().split(' ').slice(-1);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') };
  const words = ['--import', import.meta.resolve('tsx'), '--test-reporter=tap', file];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd, env });
  assert.match(stdout, /^# pass [1-9]\d+$/m, 'it has at least ten tests');
};
