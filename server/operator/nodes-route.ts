/** The servers that share a database, and what this one counts, for operators. */
import { z } from 'zod';
import { type Caller, Failure } from '../../runtime/index.ts';
import { refusedWithProblem } from '../http/about.ts';
import { json } from '../http/problems.ts';
import type { Route } from '../http/route.ts';
import type { App } from '../protocol.ts';
import { route } from '../wire/route.ts';

const nodes = z
  .object({
    nodes: z.array(
      z.object({
        id: z.string(),
        address: z.string(),
        started_at: z.string(),
        lease_ms: z.int().describe('Milliseconds until the others take what it executes; negative after that.'),
        serves: z.array(z.object({ workflow: z.string(), version: z.string() })),
        executions: z.int().describe('Number of executions that it executes.'),
        is_this: z.boolean().describe('It has sent this reply.'),
      }),
    ),
  })
  .meta({ id: 'Nodes' });

export const nodesRoute = ({ runtime, who }: Pick<App, 'runtime' | 'who'>): Route =>
  route({
    method: 'GET',
    path: '/nodes',
    reply: nodes,
    about: {
      tag: 'server',
      credential: 'operator',
      summary: 'The servers that share a database',
      answers: {
        200: 'All of them; none if this server has its executions in memory or in a file.',
        403: refusedWithProblem('For operators only.'),
      },
    },
    handle: async (call) => {
      refuseUnlessOperator(await who(call), 'Nodes are');
      const found = (await runtime.nodes()) ?? [];
      return json(200, {
        nodes: found.map(({ id, address, startedAt, leaseMs, serves, executions, isThis }) => ({
          id,
          address,
          started_at: new Date(startedAt).toISOString(),
          lease_ms: Math.round(leaseMs),
          serves: [...serves],
          executions,
          is_this: isThis,
        })),
      });
    },
  });

/** For Prometheus. */
export const metricsRoute = ({ runtime, who }: Pick<App, 'runtime' | 'who'>): Route =>
  route({
    method: 'GET',
    path: '/metrics',
    about: {
      tag: 'server',
      credential: 'operator',
      summary: 'What this server counts, as text for Prometheus',
      answers: {
        200: { description: 'The metrics.', content: { [TEXT]: z.string() } },
        403: refusedWithProblem('For operators only.'),
      },
    },
    handle: async (call) => {
      refuseUnlessOperator(await who(call), 'Metrics are');
      const headers = { 'content-type': `${TEXT}; version=0.0.4; charset=utf-8` };
      return { status: 200, headers, body: metricsOf(runtime).join('') };
    },
  });

const TEXT = 'text/plain';

const metricsOf = ({ isAccepting, clusterCounts }: App['runtime']): string[] => {
  const ready = metric('fermata_ready', 'gauge', '1 while the server takes new work.', isAccepting ? 1 : 0);
  if (clusterCounts === undefined) return [ready];
  const { lostWrites, leaseLosses, taken } = clusterCounts;
  const lost = 'Writes that were refused, because another server had changed the execution.';
  return [
    ready,
    metric('fermata_lost_writes_total', 'counter', lost, lostWrites),
    metric('fermata_lease_losses_total', 'counter', 'How often the lease of the server has ended.', leaseLosses),
    metric('fermata_taken_total', 'counter', 'Executions that the server has taken from others.', taken),
  ];
};

const metric = (name: string, type: 'counter' | 'gauge', help: string, value: number): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;

const refuseUnlessOperator = ({ isOperator }: Caller, what: string): void => {
  if (!isOperator) throw new Failure('operator_required', { detail: `${what} shown to operators only.` });
};
