/** A project of a user: an empty folder, into which the packed package is installed as npm does it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  /** Standard output, then standard error. */
  readonly text: string;
}

/** Runs a program to its end, within five minutes. The environment is that of a terminal, without what npm sets for scripts. */
export const run = (program: string, words: readonly string[], cwd: string, node = process.execPath): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { cwd, env: environment(node), timeout: 300_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, words, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ exitCode, stdout, text: `${stdout}${stderr}` });
    });
    child.stdin?.end();
  });

export const environment = (node: string): NodeJS.ProcessEnv => ({
  PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
});

/** What a program printed on its standard output. Rejects with all that was printed, if the program fails. */
export const succeed = async (
  program: string,
  words: readonly string[],
  cwd: string,
  node?: string,
): Promise<string> => {
  const { exitCode, stdout, text } = await run(program, words, cwd, node);
  if (exitCode !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${exitCode}:\n${text}`);
  return stdout;
};

export interface Tarball {
  readonly path: string;
  /** Paths within the package. */
  readonly files: readonly string[];
}

/** Packs a folder of the repository, as `npm publish` would. */
export const pack = async (folder: string, destination: string): Promise<Tarball> => {
  const printed = await succeed('npm', ['pack', '--json', '--pack-destination', destination], folder);
  const [packed] = JSON.parse(printed.slice(printed.search(/^\[$/m))) as [
    { filename: string; files: { path: string }[] },
  ];
  return { path: join(destination, packed.filename), files: packed.files.map(({ path }) => path) };
};

export const temporaryFolder = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `fermata-${name}-`));

/** An empty folder and `npm install` with these packages; `node` is the one that runs npm. */
export const projectWith = async (packages: readonly string[], node?: string): Promise<string> => {
  const folder = await temporaryFolder('consumer');
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], folder, node);
  return folder;
};

/** Copies the files of `tests/consumer/project` beside the package. */
export const addFiles = (folder: string): Promise<void> =>
  cp(fileURLToPath(new URL('../project/', import.meta.url)), folder, { recursive: true });

export const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** Bytes of all files in a folder. */
export const weightOf = async (folder: string): Promise<number> => {
  const kilobytes = Number.parseInt(await succeed('du', ['-sk', '--apparent-size', folder], folder), 10);
  return kilobytes * 1024;
};
