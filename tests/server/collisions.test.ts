/** Two routes never answer the same request: the server does not start, and says which settings are at odds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { workflow } from '../../runtime/index.ts';
import { api, createServer, type Protocol, type ServerOptions } from '../../server/index.ts';
import { serverDefaults } from '../../server/options.ts';

const input = z.object({ text: z.string() });
const a = workflow({ name: 'a', input, run: ({ text }) => text });
const b = workflow({ name: 'b', input, run: ({ text }) => text });
const none = { method: 'POST', path: null, legacyPath: null } as const;

type Given = Partial<Omit<ServerOptions, 'workflow' | 'endpoints'>> & {
  workflow?: Partial<ServerOptions['workflow']>;
  endpoints?: Partial<ServerOptions['endpoints'][number]>[];
  protocols?: readonly Protocol[];
};

/** What the start says; undefined if the server starts. */
const problemOf = async ({
  workflow: main,
  endpoints = [],
  protocols,
  ...config
}: Given): Promise<string | undefined> => {
  try {
    const server = await createServer({
      workflow: a,
      workflows: [b],
      ...(protocols && { protocols }),
      config: {
        ...config,
        port: 0,
        workflow: { ...serverDefaults.workflow, ...main },
        endpoints: endpoints.map((endpoint) => ({ ...none, functionName: 'b', ...endpoint })),
      },
    });
    await server.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

const same = 'answer the same requests: change';

const taken: [what: string, given: Given, problem: string][] = [
  [
    'the console',
    { workflow: { method: 'GET', path: '/console' } },
    `GET /console of nat (workflow.path) and GET /console of operator (fermata.console) ${same} workflow.path or fermata.console`,
  ],
  [
    'the health of the server',
    { workflow: { method: 'GET', path: '/health' } },
    `GET /health of nat (workflow.path) and GET /health of operator ${same} workflow.path`,
  ],
  [
    'an execution',
    { workflow: { method: 'GET', path: '/executions/mine' } },
    `GET /executions/mine of nat (workflow.path) and GET /executions/:executionId of api ${same} workflow.path`,
  ],
  [
    'a file',
    { objectStore: 'memory', workflow: { path: '/static/a' } },
    `POST /static/a of nat (workflow.path) and POST /static/* of files (fermata.object_store) ${same} workflow.path or fermata.object_store`,
  ],
  [
    'the callback',
    { endpoints: [{ websocketPath: '/auth/redirect' }] },
    `GET /auth/redirect of nat (oauth2_callback_path) and GET /auth/redirect of nat (endpoints[0].websocket_path) ${same} oauth2_callback_path or endpoints[0].websocket_path`,
  ],
  [
    'another endpoint, by what is below its path',
    { endpoints: [{ path: '/a' }, { openaiApiPath: '/a/full' }] },
    `POST /a/full of nat (endpoints[0].path) and POST /a/full of nat (endpoints[1].openai_api_path) ${same} endpoints[0].path or endpoints[1].openai_api_path`,
  ],
  [
    'jobs of another endpoint',
    { asyncJobs: true, endpoints: [{ path: '/b' }, { openaiApiPath: '/b/async' }] },
    `POST /b/async of nat (endpoints[0].path) and POST /b/async of nat (endpoints[1].openai_api_path) ${same} endpoints[0].path or endpoints[1].openai_api_path`,
  ],
  [
    'its default paths',
    { endpoints: [{ path: '/generate' }] },
    `POST /generate of nat (workflow.legacy_path) and POST /generate of nat (endpoints[0].path) ${same} workflow.legacy_path or endpoints[0].path`,
  ],
  [
    'the models',
    { endpoints: [{ method: 'GET', path: '/v1/models' }] },
    `GET /v1/models of nat (workflow.openai_api_v1_path) and GET /v1/models of nat (endpoints[0].path) ${same} workflow.openai_api_v1_path or endpoints[0].path`,
  ],
];

for (const [what, given, problem] of taken) {
  test(`a path that is taken by ${what} keeps the server from starting`, async () => {
    assert.ok((await problemOf(given))?.includes(problem), await problemOf(given));
  });
}

test('paths that only look alike are accepted', async () => {
  const free: Given[] = [
    { endpoints: [{ path: '/a' }, { method: 'GET', path: '/a' }] },
    { workflow: { openaiApiPath: '/a', openaiApiV1Path: '/a' } },
    { disableLegacyRoutes: true, endpoints: [{ path: '/chat' }] },
    { oauthCallbackPath: null, workflow: { method: 'GET', path: '/auth/redirect' } },
    { workflow: { method: 'GET', path: '/monitor/users' } },
    { workflow: { path: '/static/a' } },
    { console: false, workflow: { method: 'GET', path: '/console' } },
    { asyncJobs: false, endpoints: [{ path: '/b' }, { openaiApiPath: '/b/async' }] },
  ];

  assert.deepEqual(
    await Promise.all(free.map(problemOf)),
    free.map(() => undefined),
  );
});

test('a protocol whose routes are those of another, or its own, is refused', async () => {
  const handle = () => ({ status: 200 });
  const list = { method: 'GET', path: '/executions', about: null, handle } as const;
  const toy: Protocol = () => ({ name: 'toy', routes: [list] });
  const twice: Protocol = () => ({ name: 'twice', routes: [list, list] });

  assert.match(
    (await problemOf({ protocols: [api(), toy] })) ?? '',
    /GET \/executions of api and GET \/executions of toy answer the same requests: give one of them another path/,
  );
  assert.match(
    (await problemOf({ protocols: [twice] })) ?? '',
    /GET \/executions of twice and GET \/executions of twice/,
  );
});
