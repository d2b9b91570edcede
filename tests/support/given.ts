/**
 * Small worlds for tests. Each ends with its test, and fails it if something is left behind: unfinished work,
 * claims on builders, watchers, requests without a reply, timers beyond the retention, unexpected defects.
 */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Execution } from '../../runtime/executions/execution.ts';
import {
  createRuntime,
  type ExecutionView,
  type Log,
  type Runtime,
  type RuntimeSetup,
  type StartRequest,
  silentLog,
} from '../../runtime/index.ts';
import { FAILED } from '../../runtime/run/function-call.ts';
import { createServer, type Server, type ServerSetup } from '../../server/index.ts';
import { testedAdapter } from './adapter.ts';
import { alice, bob, operator } from './callers.ts';
import { call, type HttpReply, type RequestOptions } from './http-client.ts';
import { engineOf } from './in-process.ts';
import { behindProxy, settingsBehindProxy } from './proxy-setup.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { startRequest } from './start.ts';

export { alice, bob, call, type HttpReply, operator };

interface World {
  readonly runtime: Runtime;
  /** Time that passes when the test says so. Builders, deadlines, retention: nothing else is slept for. */
  readonly clock: SimulatedClock;
  /** What was logged as an error. A test that expects some takes them out: `errors.splice(0)`. */
  readonly errors: object[];
}

export interface RuntimeWorld extends World {
  /** Starts the only workflow, or the one that is named; without identity unless `by` is given. Resolves when it rests. */
  start(options?: Partial<StartRequest>): Promise<Execution>;
}

export interface ServerWorld extends World {
  readonly server: Server;
  /** One request, and its whole reply. A body is sent as JSON, except for a form. */
  call(line: string, options?: RequestOptions): Promise<HttpReply>;
}

/** Resolves when all runs have gone as far as they can without time or network: they begin, and go on, in turns of their own. */
export const untilIdle = async (runtime: Runtime): Promise<void> => {
  const engine = engineOf(runtime);
  do await setImmediate();
  while (engine.turns.isBusy);
};

/** Turns of the event loop: whatever can happen without time or network has happened. */
export const turns = async (count = 8): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
};

export const given = {
  async runtime(t: TestContext, setup: Omit<RuntimeSetup, 'clock' | 'log'>): Promise<RuntimeWorld> {
    const clock = new SimulatedClock();
    const { log, errors } = collectErrors();
    const runtime = await createRuntime({ ...setup, clock, log });
    const world = { runtime, clock, errors };
    t.after(() => end(world, () => runtime.stop()));
    const anonymous = { workflow: setup.workflows[0]!.name, by: { userId: undefined }, input: undefined };
    const start = async (options: Partial<StartRequest> = {}) => {
      const { execution } = await engineOf(runtime).starts.begin(startRequest({ ...anonymous, ...options }));
      await untilIdle(runtime);
      return execution;
    };
    return { ...world, start };
  },

  async server(t: TestContext, setup: Omit<ServerSetup, 'clock' | 'log'>): Promise<ServerWorld> {
    const clock = new SimulatedClock();
    const { log, errors } = collectErrors();
    const config = { host: '127.0.0.1', port: 0, adapter: testedAdapter(), ...settingsBehindProxy(), ...setup.config };
    const server = await behindProxy(t, await createServer({ ...setup, config, clock, log }));
    const { runtime } = server;
    const world = { runtime, clock, errors };
    t.after(() => end(world, () => server.close(), server));
    return { ...world, server, call: (line, options) => call(server.url, line, options) };
  },
};

const collectErrors = (): { log: Log; errors: object[] } => {
  const errors: object[] = [];
  // That a workflow fails is no failure of the server.
  const error: Log['error'] = (fields, message) => void (message === FAILED || errors.push({ message, ...fields }));
  return { log: { ...silentLog, error }, errors };
};

/** How long real sockets may take to be noticed as gone. */
const QUIET_MS = 20_000;

const end = async (world: World, stop: () => Promise<void>, server?: Server): Promise<void> => {
  const { runtime, clock, errors } = world;
  const found: string[] = [];
  if (runtime.isAccepting) {
    for (const until = Date.now() + QUIET_MS; unfinishedWork(world, server).length > 0 && Date.now() < until; )
      await turns();
    found.push(...unfinishedWork(world, server));
    for (const { id } of live(runtime)) await runtime.cancel(id, operator);
    await turns();
    const { retentionMs, builderIdleMs } = runtime.options;
    clock.advance(Math.max(retentionMs, ...all(runtime).map((execution) => execution.retentionMs)));
    clock.advance(builderIdleMs + 1);
    await turns();
    if (all(runtime).length > 0) found.push(`${all(runtime).length} records are kept beyond their retention`);
    const idle = builders(runtime).filter(({ isIdle }) => isIdle).length; // they do not expire, and have a timer each
    const timers = runtime.pendingTimers - idle;
    if (timers > 0) found.push(`${timers} timers are pending although there is nothing left to wait for`);
  }
  const stopped = stop();
  clock.advance(runtime.options.stopTimeoutMs);
  await stopped;
  found.push(...leftovers(world), ...errors.map((error) => `logged: ${inspect(error)}`));
  assert.deepEqual(found, [], 'something was left behind');
};

const all = (runtime: Runtime): readonly ExecutionView[] => engineOf(runtime).executions.all();
const live = (runtime: Runtime): readonly ExecutionView[] => all(runtime).filter(({ isSettled }) => !isSettled);
const builders = (runtime: Runtime) => engineOf(runtime).served.builders.flatMap((all) => all.list());

/** What keeps a world from being at rest. A parked execution may stay: it holds nothing but its claim on the builder. */
const unfinishedWork = ({ runtime }: World, server: Server | undefined): string[] => {
  const executions = all(runtime);
  const claims = builders(runtime).reduce((sum, { refCount }) => sum + refCount, 0);
  const parked = executions.filter(({ phase }) => phase === 'waiting').length;
  const open = server?.openRequests ?? 0;
  return [
    ...executions.filter(({ phase }) => phase === 'executing').map(({ id }) => `execution ${id} still executes`),
    ...executions.filter(({ phase }) => phase === 'queued').map(({ id }) => `execution ${id} still waits for a slot`),
    ...executions.filter(({ watchers }) => watchers > 0).map(({ id }) => `execution ${id} is still watched`),
    ...(claims === parked ? [] : [`${claims} claims on builders, ${parked} parked executions`]),
    ...heldSlots(runtime),
    ...(runtime.inspection.inspectors === 0 ? [] : [`${runtime.inspection.inspectors} still inspect the actors`]),
    ...(open === 0 ? [] : [`${open} requests are open`]),
  ];
};

const heldSlots = (runtime: Runtime): string[] =>
  builders(runtime)
    .filter(({ slots }) => slots.held > 0 || slots.queued > 0)
    .map(({ user, slots }) => `builder of ${user}: ${slots.held} slots held, ${slots.queued} waited for`);

const leftovers = ({ runtime, clock }: World): string[] => [
  ...live(runtime).map(({ id }) => `execution ${id} has outlived its runtime`),
  ...builders(runtime).map(({ user }) => `the builder of ${user} has outlived its runtime`),
  ...(clock.pending === 0 ? [] : [`${clock.pending} timeouts have outlived the runtime`]),
];
