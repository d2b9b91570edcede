/** Suites that are written without a thought of proxies, and pass through them. Each file of this folder is a process of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { given } from '../support/given.ts';
import type { ProxyKind } from '../support/proxy.ts';
import { useProxy } from '../support/proxy-setup.ts';

const suites = [
  '../conformance/conformance.test.ts',
  '../server/routes.test.ts',
  '../server/routes-streams.test.ts',
  '../server/routes-limits.test.ts',
  '../server/api/execution-stream.test.ts',
  '../server/api/changes.test.ts',
  '../server/dropped-output.test.ts',
  '../server/restarted-output.test.ts',
  '../server/durable-server.test.ts',
  '../server/nat/chat/routes.test.ts',
  '../server/nat/chat/openai.test.ts',
  '../server/nat/routes/jobs.test.ts',
  '../server/nat/routes/oauth-callback.test.ts',
  '../server/nat/websocket/conversation.test.ts',
  '../server/nat/websocket/faults.test.ts',
  '../server/nat/websocket/handshake.test.ts',
  '../server/nat/websocket/output.test.ts',
  '../server/nat/websocket/prompts.test.ts',
  '../server/nat/websocket/reconnect.test.ts',
  '../client/client.test.ts',
  '../client/stream.test.ts',
];

const browserSuites = ['../browser/console.browser.ts'];

export interface Playing {
  /** Edits the settings of the docs. */
  readonly change?: (settings: string) => string;
  /** Why the proxy answers a recorded scenario itself, if it does. */
  readonly refuses?: (scenario: string) => string | undefined;
  /** Suites that cannot pass. */
  readonly without?: readonly string[];
}

export const refusedByNginx = (scenario: string): string | undefined =>
  scenario === 'static/outside' ? 'nginx answers paths that lead out of its root with 400 itself' : undefined;

/** What is otherwise behind a proxy, and has a test in `behaviour.test.ts`. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'general/trailing-slash': 'where there is a proxy, redirects are paths',
};

const behind = async (
  kind: ProxyKind,
  files: readonly string[],
  { change, refuses, without = [] }: Playing,
): Promise<void> => {
  if (kind.missing !== false) {
    test(`suites pass through ${kind.name}`, { skip: kind.missing }, () => {});
    return;
  }
  useProxy(
    (port) => kind.start(port, change),
    (scenario) => refuses?.(scenario) ?? OTHERWISE[scenario],
  );
  test(`suites pass through ${kind.name}`, async (t) => {
    const { server } = await given.server(t, { workflow: workflow({ name: 'echo', run: (input: unknown) => input }) });

    assert.notEqual(new URL(server.url).port, String(server.port));
  });
  for (const file of files) if (!without.some((part) => file.includes(part))) await import(file);
};

export const playSuites = (kind: ProxyKind, playing: Playing = {}): Promise<void> => behind(kind, suites, playing);

export const playBrowserSuites = (kind: ProxyKind, playing: Playing = {}): Promise<void> =>
  behind(kind, browserSuites, playing);
