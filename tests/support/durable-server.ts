/** A server on a directory, which can be stopped and started again on it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Log, silentLog, type Workflow } from '../../runtime/index.ts';
import { FAILED } from '../../runtime/run/function-call.ts';
import { createServer, type Server, type ServerOptions } from '../../server/index.ts';
import { testedAdapter } from './adapter.ts';
import { execute } from './database.ts';
import { temporaryDirectory } from './durable.ts';
import { call, type HttpReply, type RequestOptions } from './http-client.ts';
import { behindProxy, settingsBehindProxy } from './proxy-setup.ts';

export type PromptReply = Readonly<Record<'execution_id' | 'status_url' | 'response_url', string>>;

export type StatusBody = Readonly<Record<string, unknown>> &
  Partial<PromptReply> & { readonly prompt?: { text: string } };

export class DurableServer {
  readonly directory: string;
  #workflows: readonly [Workflow, ...Workflow[]];
  readonly #config: Partial<ServerOptions>;
  server!: Server;
  readonly errors: object[] = [];
  readonly #test: TestContext;

  private constructor(t: TestContext, path: string, workflow: Workflow, config: Partial<ServerOptions>) {
    this.#test = t;
    this.directory = path;
    this.#workflows = [workflow];
    this.#config = config;
  }

  static async open(
    t: TestContext,
    workflow: Workflow,
    config: Partial<ServerOptions> = {},
    path = temporaryDirectory(t),
  ): Promise<DurableServer> {
    const world = new DurableServer(t, path, workflow, config);
    await world.#open();
    t.after(async () => {
      await world.server.close();
      assert.deepEqual(world.errors, [], 'errors were logged');
    });
    return world;
  }

  async #open(): Promise<void> {
    const log: Log = {
      ...silentLog,
      error: (fields, message) => void (message === FAILED || this.errors.push({ ...fields, message })),
    };
    const config = {
      host: '127.0.0.1',
      port: 0,
      data: this.directory,
      adapter: testedAdapter(),
      ...settingsBehindProxy(),
      ...this.#config,
    };
    const [workflow, ...workflows] = this.#workflows;
    this.server = await behindProxy(this.#test, await createServer({ workflow, workflows, config, log }));
  }

  /** Stops in order, and another one begins where it has stopped, with these workflows if there are any. */
  async restart(...[workflow, ...others]: readonly Workflow[]): Promise<void> {
    await this.server.close();
    if (workflow !== undefined) this.#workflows = [workflow, ...others];
    await this.#open();
  }

  /** Another process that writes to the file, which is not allowed. */
  executeSql(sql: string): void {
    execute(this.directory, sql);
  }

  call(line: string, options?: RequestOptions): Promise<HttpReply> {
    return call(this.server.url, line, options);
  }

  /** Starts one that waits for a person. */
  async startPrompting(body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Promise<PromptReply> {
    const reply = await this.call('POST /v1/workflow', { body, headers });
    assert.equal(reply.status, 202);
    return reply.body as PromptReply;
  }

  async answer(
    { response_url }: PromptReply,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const body = { response: { type: 'text', text } };
    return (await this.call(`POST ${response_url}`, { body, headers })).status;
  }

  async status({ status_url }: Pick<PromptReply, 'status_url'>, query = ''): Promise<StatusBody> {
    return (await this.call(`GET ${status_url}${query}`)).body as StatusBody;
  }

  /** How it stands when something holds. */
  async statusWhen(paused: PromptReply, holds: (standing: StatusBody) => boolean): Promise<StatusBody> {
    for (const deadline = Date.now() + 10_000; ; ) {
      const standing = await this.status(paused);
      if (holds(standing)) return standing;
      assert.ok(Date.now() < deadline, `still ${JSON.stringify(standing)}`);
    }
  }
}
