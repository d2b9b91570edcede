/** The server under attack: `fermata serve` in a separate process, and measurements from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILED } from '../../../runtime/index.ts';
import { reply } from '../processes.ts';
import { OPERATOR_KEY } from './operator-key.ts';
import type { Endpoint } from './requests.ts';
import type { Asked, Holdings } from './server.ts';

export type Store = 'memory' | 'data';

/** Everything expires soon, so anything that is left after an attack is a leak. */
const configuration = (directory: string): string => `
general:
  enable_per_user_monitoring: true
  per_user_workflow_timeout: PT2S
  front_end:
    endpoints:
      - function_name: personal
        path: /v1/personal
        websocket_path: /personal/socket
        openai_api_v1_path: /personal/completions
        legacy_path: /personal
authentication:
  bank:
    client_id: bank
    authorization_url: http://127.0.0.1:9/authorize
    token_url: http://127.0.0.1:9/token
    redirect_uri: http://localhost/auth/redirect
fermata:
  retention: PT1S
  parked_timeout: PT3S
  oauth_timeout: PT2S
  hibernate_after: PT1S
  request_timeout: PT3S
  operator_key: ${OPERATOR_KEY}
  async_jobs: true
  object_store: ${JSON.stringify(join(directory, 'files'))}
  websocket:
    idle_timeout: PT8S
`;

/**
 * With the defaults of glibc, memory that was freed stays with the process where it cannot be returned: the blocks of messages of
 * 16 MB come from the common heap once one was freed. Memory then grows to a plateau, after 20,000 visits or so. With these
 * settings it shows what is in use.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };

export const SOCKET_PATHS = ['/websocket', '/personal/socket', '/inspect/socket'] as const;

/** Objects in memory, and counts of the operating system. */
export type Measured = Holdings & { readonly files: number };

export class Target {
  readonly #child: ChildProcess;
  readonly #directory: string;
  port = 0;
  stderr = '';
  /** Messages that were logged as errors, with their counts; failed workflows are not errors. */
  readonly errors = new Map<string, number>();
  #hasEnded = false;
  #rest = '';
  #listening = (_port: number): void => {};

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-4_000);
    });
    child.once('exit', () => {
      this.#hasEnded = true;
      this.#listening(0);
    });
  }

  /**
   * `adapter`: the value of `--adapter`; undefined for the default. Rejects if the server ends instead of listening.
   */
  static async start(store: Store, adapter?: string): Promise<Target> {
    const directory = mkdtempSync(join(tmpdir(), 'fermata-hostile-'));
    const file = join(directory, 'fermata.yaml');
    writeFileSync(file, configuration(directory));
    const place = store === 'memory' ? ['--memory'] : ['--data', join(directory, 'data')];
    const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    const child = spawn(
      process.execPath,
      [
        ...['--expose-gc', '--import', 'tsx', own('server.ts'), 'serve', own('workflows.ts')],
        ...['--config', file, '--port', '0', ...place, ...(adapter === undefined ? [] : ['--adapter', adapter])],
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: { ...ALLOCATOR, PATH: process.env.PATH, HOME: process.env.HOME },
      },
    );
    const target = new Target(child, directory);
    target.port = await new Promise<number>((resolve) => {
      target.#listening = resolve;
    });
    if (target.hasEnded) throw new Error(`the server did not start: ${target.stderr}`);
    return target;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** How the process has ended. */
  get exit(): string {
    return `${this.#child.signalCode ?? `exit code ${this.#child.exitCode}`}: ${this.stderr.trim()}`;
  }

  /** Described routes; routes without a description only refuse. */
  async endpoints(): Promise<Endpoint[]> {
    const response = await fetch(`http://localhost:${this.port}/openapi.json`);
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'parameters')
        .map((method) => ({ method: method.toUpperCase(), path })),
    );
  }

  /** After a garbage collection. */
  async measure(): Promise<Measured> {
    this.#child.send({} satisfies Asked);
    return { ...(await reply<Holdings>(this.#child)), files: this.#files() };
  }

  /**
   * Sets the wall clock of the server forward, as an operator can. The server notices that within half a minute, and
   * everything whose retention has ended by then is deleted.
   */
  setForward(forwardMs: number): void {
    this.#child.send({ forwardMs } satisfies Asked);
  }

  async end(): Promise<void> {
    if (!this.#hasEnded) {
      const over = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await over;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Open descriptors, sockets included; 0 if the system does not report them. */
  #files(): number {
    try {
      return readdirSync(`/proc/${this.#child.pid}/fd`).length;
    } catch {
      return 0;
    }
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const { level, msg, url, err } = JSON.parse(line) as Record<string, unknown>;
      if (msg === 'listening') this.#listening(Number(new URL(String(url)).port));
      if ((level !== 'error' && !(Number(level) >= 50)) || msg === FAILED) continue;
      const what = `${msg}: ${(err as { stack?: string } | undefined)?.stack?.slice(0, 600) ?? ''}`;
      this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
    }
  }
}
