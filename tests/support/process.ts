/** `fermata` as a process of its own, as a user starts it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export class FermataProcess {
  stdout = '';
  stderr = '';
  /** Exit code; null if a signal has ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #onNews = (): void => {};
  #isOver = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onNews();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onNews();
    });
    this.ended = once(child, 'close').then(([code]) => {
      this.#isOver = true;
      this.#onNews();
      return code as number | null;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves with the match once it has been printed; fails if the process ends without having done so. */
  async printed(pattern: RegExp, on: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[on]);
      if (match !== null) return match;
      assert.ok(!this.#isOver, `ended without printing ${pattern}: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
  }

  /** Where it listens. */
  async url(): Promise<string> {
    const [, url = ''] = await this.printed(/"url":"(http:[^"]+)".*"msg":"listening"/);
    return url;
  }

  /** Resolves once the address answers; fails if the process ends before. For those that do not print where they listen. */
  async reached(address: string): Promise<void> {
    while (!(await fetch(address).catch(() => undefined))?.ok) {
      assert.ok(!this.#isOver, `ended without answering at ${address}: ${this.stderr}`);
      await setImmediate();
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** What it has logged so far. */
  get log(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** Nothing is left in the folder where it is started, unless a test says where executions are to be kept. */
const inMemory = (typed: readonly string[], variables: Readonly<Record<string, string>>) =>
  typed.includes('executions') || 'FERMATA_DATA' in variables ? {} : { FERMATA_MEMORY: 'true' };

/**
 * Types the words after `fermata`; `variables` is all of its environment, but for the adapter that is tested, and `input` what it reads from standard input.
 * It is killed with the test if it is still there.
 */
export const fermata = (
  t: TestContext,
  typed: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  input = '',
  cwd = root,
): FermataProcess => {
  const { PATH, HOME, TMPDIR, FERMATA_ADAPTER } = process.env;
  const env = {
    PATH,
    HOME,
    TMPDIR,
    FERMATA_ADAPTER,
    TSX_TSCONFIG_PATH: `${root}/tsconfig.json`,
    ...inMemory(typed, variables),
    ...variables,
  };
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), `${root}/cli/main.ts`, ...typed], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}).end(input); // who ends early does not read it
  const started = new FermataProcess(child);
  t.after(async () => {
    child.kill('SIGKILL');
    await started.ended;
  });
  return started;
};
