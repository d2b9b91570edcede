/** `fermata serve` with the workflow of mistakes, as a process that is started, stopped and looked at. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const workflow = fileURLToPath(new URL('workflow.ts', import.meta.url));

export const STOP_TIMEOUT_MS = 2_000;
export const OPERATOR_KEY = 'operator-of-the-fuzz';
/** A start takes seconds on a machine that is busy. */
const START_MS = 60_000;
const TAIL = 4_000;

/** Lines of the log that say that something is wrong with the server, and not with the workflow. */
const DEFECTS = /bug in this server|"msg":"(?!a workflow has failed)[^"]*(defect|unexpected|internal)[^"]*"/i;

export class ServedProcess {
  url = '';
  /** The end of what it has printed. */
  tail = '';
  readonly defects: string[] = [];
  isStopping = false;
  readonly #child: ChildProcess;
  /** Exit code, or the signal that has ended it. */
  readonly ended: Promise<number | string>;
  isOver = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const kill = (): void => this.kill();
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.tail = (this.tail + text).slice(-TAIL);
        if (DEFECTS.test(text))
          this.defects.push(
            text
              .split('\n')
              .find((line) => DEFECTS.test(line))!
              .slice(0, 1_000),
          );
      });
    }
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.isOver = true;
      return code ?? signal;
    });
  }

  /** `directory`: where executions are kept; undefined: in memory. */
  static async start(directory: string | undefined): Promise<ServedProcess> {
    const { PATH, HOME, TMPDIR } = process.env;
    const child = spawn(process.execPath, ['--import', 'tsx', `${root}/cli/main.ts`, 'serve', workflow], {
      cwd: root,
      env: {
        PATH,
        HOME,
        TMPDIR,
        FERMATA_PORT: '0',
        FERMATA_HOST: '127.0.0.1',
        FERMATA_OPERATOR_KEY: OPERATOR_KEY,
        FERMATA_STOP_TIMEOUT: String(STOP_TIMEOUT_MS / 1_000),
        FERMATA_HIBERNATE_AFTER: '0.3',
        FERMATA_REST_AFTER: '0.1',
        FERMATA_CANCEL_ON_DISCONNECT: 'true',
        ...(directory === undefined ? { FERMATA_MEMORY: 'true' } : { FERMATA_DATA: directory }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const served = new ServedProcess(child);
    await served.#listening();
    return served;
  }

  async #listening(): Promise<void> {
    let printed = '';
    const found = new Promise<string>((resolve) => {
      const look = (text: string): void => {
        printed += text;
        const [, url] = /served at (http:\S+?)\. /.exec(printed) ?? [];
        if (url !== undefined) resolve(url);
      };
      this.#child.stderr!.on('data', look);
      this.#child.stdout!.on('data', look);
    });
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`no address after ${START_MS} ms: ${printed}`)), START_MS).unref();
    });
    const over = this.ended.then((code) => {
      throw new Error(`it ended with ${code} before it served: ${printed}`);
    });
    over.catch(() => {}); // later it is told to stop
    this.url = await Promise.race([found, late, over]);
  }

  /** Milliseconds from SIGTERM until it has ended, and how; it is killed if it does not end. */
  async stop(limitMs: number): Promise<{ readonly ms: number; readonly end: number | string }> {
    this.isStopping = true;
    const began = performance.now();
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    const end = await this.ended;
    clearTimeout(killer);
    return { ms: performance.now() - began, end };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
