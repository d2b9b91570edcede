/** The servers that share a database, for operators. */
import { z } from 'zod';
import { Failure } from '../../runtime/index.ts';
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
      const by = await who(call);
      if (!by.isOperator) throw new Failure('operator_required', { detail: 'Nodes are shown to operators only.' });
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
