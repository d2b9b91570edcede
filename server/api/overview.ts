/** Workflows with their inputs, and builders with their slots. */

import type { BuilderBody, WorkflowBody } from '../../client/wire.ts';
import { Failure, jsonSchemaOf, type Runtime } from '../../runtime/index.ts';
import { refusedWithProblem } from '../http/about.ts';
import { json } from '../http/problems.ts';
import type { Route } from '../http/route.ts';
import { packageVersion } from '../package.ts';
import type { App } from '../protocol.ts';
import { route } from '../wire/route.ts';
import type { ServedWorkflow } from '../wire/served.ts';
import { builderListBody, placesBody, workflowListBody } from './bodies.ts';

export const overviewRoutes = ({ runtime, who, served, routes, config: { rootPath } }: App): Route[] => [
  route({
    method: 'GET',
    path: '/',
    reply: placesBody,
    about: {
      tag: 'server',
      credential: 'none',
      summary: 'Name and version of the server, and its most important paths',
      answers: { 200: 'The paths that are served.' },
    },
    handle: () => json(200, placesOf(rootPath, served, routes)),
  }),
  route({
    method: 'GET',
    path: '/workflows',
    reply: workflowListBody,
    about: {
      tag: 'workflows',
      credential: 'none',
      summary: 'The workflows and their inputs',
      answers: { 200: 'The served workflows.' },
    },
    handle: () => json(200, { workflows: served.map((one) => workflowBody(one, rootPath)) }),
  }),
  route({
    method: 'GET',
    path: '/builders',
    reply: builderListBody,
    about: {
      tag: 'server',
      credential: 'operator',
      summary: 'The builders, with their slots and queues',
      answers: { 200: 'Those that are open.', 403: refusedWithProblem('For operators only.') },
    },
    handle: async (call) => {
      const by = await who(call);
      if (!by.isOperator) throw new Failure('operator_required', { detail: 'Builders are shown to operators only.' });
      return json(200, {
        builders: runtime.allBuilders.flatMap((builders) => listedBuilders(runtime, builders)),
      });
    },
  }),
];

/** For people who open the URL of the server in a browser. */
const placesOf = (rootPath: string, served: readonly ServedWorkflow[], routes: readonly Route[]) => ({
  name: 'fermata',
  version: packageVersion(),
  workflows: Object.fromEntries(
    served.flatMap(({ workflow, paths: { method, path } }) =>
      path === null ? [] : [[workflow.name, `${method} ${rootPath}${path}`]],
    ),
  ),
  ...Object.fromEntries(
    Object.entries(PLACES).flatMap(([name, path]) =>
      routes.some((route) => route.path === path) ? [[name, rootPath + path]] : [],
    ),
  ),
});

/** The most important links. */
const PLACES = { health: '/health', docs: '/docs', openapi: '/openapi.json', console: '/console' } as const;

const workflowBody = ({ workflow, paths: { method, path } }: ServedWorkflow, rootPath: string): WorkflowBody => ({
  name: workflow.name,
  is_per_user: workflow.isPerUser,
  method,
  path: path === null ? null : rootPath + path,
  input: method === 'GET' || workflow.input === undefined ? null : jsonSchemaOf(workflow.input),
});

const listedBuilders = (runtime: Runtime, builders: Runtime['allBuilders'][number]): BuilderBody[] =>
  builders.list().map((builder) => ({
    builder_id: builder.id,
    workflow: builders.workflow.name,
    version: builders.workflow.version,
    user: builder.user,
    state: builder.state,
    created_at: iso(builder.createdAt),
    last_activity: iso(builder.lastActivity),
    executions: builder.refCount,
    slots: {
      limit: Number.isFinite(builder.slots.limit) ? builder.slots.limit : null,
      held: builder.slots.held,
      queued: builder.slots.queued,
      max_queued: finite(runtime.options.maxQueued),
    },
    requests: {
      total: builder.totalRequests,
      failed: builder.errorCount,
      avg_latency_ms: builder.totalRequests === 0 ? null : builder.totalLatencyMs / builder.totalRequests,
    },
  }));

const finite = (limit: number): number | null => (Number.isFinite(limit) ? limit : null);

const iso = (ms: number): string => new Date(ms).toISOString();
