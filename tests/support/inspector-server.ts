/** Watching the actors of a server: the messages that a receiver of the Stately inspector gets. */
import type { TestContext } from 'node:test';
import type { RuntimeSetup } from '../../runtime/index.ts';
import type { ServerSetup } from '../../server/index.ts';
import { readWatch } from '../../server/operator/inspector/watch.ts';
import { Watcher } from '../../server/operator/inspector/watcher.ts';
import { given, type ServerWorld } from './given.ts';
import { type Opened, socketOpener } from './web-socket.ts';

export interface InspectorMessage {
  readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot';
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId?: string;
  readonly name: string;
  readonly definition: string;
  readonly event: { readonly type: string; readonly [name: string]: unknown };
  readonly snapshot: { readonly status: string; readonly value: unknown; readonly context: Record<string, unknown> };
}

/** A runtime, and watchers without a socket, who read as fast as they are told to. */
export const givenWatchedRuntime = async (t: TestContext, setup: Omit<RuntimeSetup, 'clock' | 'log'>) => {
  const watchers: Watcher[] = [];
  t.after(() => {
    for (const watcher of watchers) watcher.stop();
  });
  const world = await given.runtime(t, setup);
  const watch = (query = '') => {
    const texts: string[] = [];
    const sink = { unsent: 0, send: (messages: readonly string[]) => void texts.push(...messages) };
    const watcher = new Watcher(world.runtime, readWatch(query), sink);
    watchers.push(watcher);
    watcher.begin();
    /** What has come since the last time. */
    const take = () => texts.splice(0).map((text) => JSON.parse(text) as InspectorMessage);
    return { watcher, sink, texts, take };
  };
  return { ...world, watch };
};

export interface InspectorWorld extends ServerWorld {
  open(query?: string, headers?: Readonly<Record<string, string>>): Promise<Opened>;
}

export const givenInspector = async (
  t: TestContext,
  setup: Omit<ServerSetup, 'clock' | 'log'>,
): Promise<InspectorWorld> => {
  const openSocket = socketOpener(t);
  const world = await given.server(t, setup);
  return {
    ...world,
    open: (query = '', headers = {}) => openSocket(`${world.server.url}/inspect/socket${query}`, headers),
  };
};
