/** Monitoring for operators: health, and users with open resources. */
import { z } from 'zod';
import { Failure, type Runtime } from '../../runtime/index.ts';
import { inQuery, refusedWithProblem } from '../http/about.ts';
import { readLast } from '../http/preferences.ts';
import { json } from '../http/problems.ts';
import type { Route } from '../http/route.ts';
import { NO_KEY } from '../identity/operator-access.ts';
import type { App } from '../protocol.ts';
import { route } from '../wire/route.ts';

const healthy = json(200, { status: 'healthy' });

export const healthRoute: Route = route({
  method: 'GET',
  path: '/health',
  reply: z.object({ status: z.literal('healthy') }).meta({ id: 'Health' }),
  about: { tag: 'server', credential: 'none', summary: '200 while it serves', answers: { 200: 'It serves.' } },
  handle: () => healthy,
});

const isReady = json(200, { status: 'ready' });

/** For a balancer: it sends requests to the servers that reply 200. */
export const readyRoute = ({ runtime }: Pick<App, 'runtime'>): Route =>
  route({
    method: 'GET',
    path: '/health/ready',
    reply: z.object({ status: z.literal('ready') }).meta({ id: 'Ready' }),
    about: {
      tag: 'server',
      credential: 'none',
      summary: '200 while it takes new work',
      answers: {
        200: 'It takes new work.',
        503: refusedWithProblem('It starts, stops, or cannot reach its database.'),
      },
    },
    handle: () => {
      if (runtime.isAccepting) return isReady;
      const detail = 'This server takes no new work: it starts, it stops, or it cannot reach its database.';
      throw new Failure('store_unavailable', { detail, retryAfterMs: 1_000 });
    },
  });

const activeUsers = z
  .object({
    timestamp: z.string(),
    total_active_users: z.int(),
    users: z.array(
      z.object({
        user_id: z.string().nullable(),
        session: z.object({
          created_at: z.string(),
          last_activity: z.string(),
          ref_count: z.int(),
          is_active: z.boolean(),
        }),
        requests: z.object({
          total_requests: z.int(),
          active_requests: z.int(),
          avg_latency_ms: z.number(),
          error_count: z.int(),
        }),
        memory: z.object({
          per_user_functions_count: z.int(),
          per_user_function_groups_count: z.int(),
          exit_stack_size: z.int(),
        }),
      }),
    ),
  })
  .meta({ id: 'ActiveUsers' });

/** Without an operator key, only for callers on this machine. */
export const monitorRoute = ({ runtime, operators, network }: Pick<App, 'runtime' | 'operators' | 'network'>): Route =>
  route({
    method: 'GET',
    path: '/monitor/users',
    reply: activeUsers,
    about: {
      tag: 'server',
      credential: 'operator',
      summary: 'Users with open resources',
      parameters: [inQuery('user_id', 'Only this one.')],
      answers: { 200: 'Those users.', 403: refusedWithProblem('For operators only.') },
    },
    handle: (call) => {
      const isAllowed = operators.isGuarded ? operators.hasKey(call) : network.isLocal(call);
      if (!isAllowed) {
        const detail = operators.isGuarded ? 'Send the operator key as X-Operator-Key.' : NO_KEY;
        throw new Failure('operator_required', { detail });
      }
      const users = monitored(runtime, readLast(new URLSearchParams(call.query), 'user_id'));
      return json(200, { timestamp: localTime(Date.now()), total_active_users: users.length, users });
    },
  });

const monitored = (runtime: Runtime, user: string | undefined) =>
  runtime.allBuilders
    .filter(({ workflow }) => workflow.isPerUser)
    .flatMap((builders) => builders.list())
    .filter((builder) => user === undefined || builder.user === user)
    .map((builder) => ({
      user_id: builder.user,
      session: {
        created_at: localTime(builder.createdAt),
        last_activity: localTime(builder.lastActivity),
        ref_count: builder.refCount,
        is_active: builder.refCount > 0,
      },
      requests: {
        total_requests: builder.totalRequests,
        active_requests: builder.refCount,
        avg_latency_ms: average(builder.totalLatencyMs, builder.totalRequests),
        error_count: builder.errorCount,
      },
      memory: {
        per_user_functions_count: 0,
        per_user_function_groups_count: 0,
        exit_stack_size: builder.openResources,
      },
    }));

const average = (total: number, count: number): number => (count === 0 ? 0 : Math.round((total / count) * 100) / 100);

/** NAT's form: local time without zone, without microseconds when they are zero. */
const localTime = (ms: number): string => {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  const micros = Math.round((ms % 1000) * 1000);
  const whole = date.toISOString().slice(0, 19);
  return micros === 0 ? whole : `${whole}.${String(micros).padStart(6, '0')}`;
};
