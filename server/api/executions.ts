/** Reads, lists, answers for and cancels executions. */

import type { ExecutionBody, InboxItem, ListedExecution } from '../../client/wire.ts';
import {
  type Awaitable,
  andThen,
  cursorAt,
  type ExecutionFilter,
  type ExecutionView,
  Failure,
  firstAwaited,
  type Pause,
  type Runtime,
  STANDS,
  shownDueAt,
} from '../../runtime/index.ts';
import { count, inQuery, refusedWithProblem } from '../http/about.ts';
import { MAX_WAIT_S, readCount, readOne } from '../http/preferences.ts';
import { refusal } from '../http/problem.ts';
import { json } from '../http/problems.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import type { App } from '../protocol.ts';
import type { Wire } from '../wire/bodies.ts';
import { route } from '../wire/route.ts';
import { executionBody } from '../wire/schemas.ts';
import { anonymous, invalidQuery, unknown } from './about.ts';
import { executionListBody, inboxBody } from './bodies.ts';
import { withExecution } from './one.ts';

/** Approximate maximum of UTF-16 units in one reply. */
const MAX_PAGE_LENGTH = 4 * 1024 * 1024;

const PAGE = { least: 1, most: 200, fallback: 50 } as const;
const limited = inQuery('limit', 'Maximum number; 50 by default.', count(PAGE.least, PAGE.most));

export const executionRoutes = ({ runtime, who, wire }: Pick<App, 'runtime' | 'who' | 'wire'>): Route[] => [
  route({
    method: 'GET',
    path: '/executions/:executionId',
    reply: executionBody,
    about: {
      tag: 'executions',
      summary: 'The status of an execution',
      parameters: [
        inQuery('wait', 'Seconds to wait for a change of the status, or for another question.', count(0, MAX_WAIT_S)),
        inQuery('after', 'Number of the last fact that you have; the wait is for a later one.', count(0)),
      ],
      answers: {
        200: { description: 'Its state.', headers: ['Execution-Seq'] },
        404: unknown,
        422: invalidQuery,
      },
    },
    handle: (call) =>
      withExecution(runtime, who, call, (execution) => {
        if (call.query === '') return shown(execution, wire);
        return andThen(newsOf(runtime, execution, call), () => shown(execution, wire));
      }),
  }),
  route({
    method: 'DELETE',
    path: '/executions/:executionId',
    about: {
      tag: 'executions',
      summary: 'Cancels an execution',
      answers: { 204: 'Done.', 404: unknown, 409: refusedWithProblem('It is over.') },
    },
    handle: (call) =>
      withExecution(runtime, who, call, async ({ id }, by) => {
        await runtime.cancel(id, by);
        return { status: 204 };
      }),
  }),
  route({
    method: 'POST',
    path: '/executions/:executionId/retry',
    about: {
      tag: 'executions',
      summary: 'Retries a blocked execution',
      description:
        'With the newest version of its workflow, if its own is no longer served. If the code still does not match the ' +
        'journal, the execution is blocked again.',
      answers: {
        204: 'Done.',
        404: unknown,
        409: refusedWithProblem('It is not blocked, or has ended.'),
      },
    },
    handle: (call) =>
      withExecution(runtime, who, call, async ({ id }, by) => {
        await runtime.retry(id, by);
        return { status: 204 };
      }),
  }),
  route({
    method: 'GET',
    path: '/executions',
    reply: executionListBody,
    about: {
      tag: 'executions',
      summary: 'Your executions, newest first',
      parameters: [
        inQuery('status', 'Only executions with this status.', { enum: [...STANDS] }),
        inQuery('workflow', 'Only executions of this workflow.'),
        inQuery('owner', 'Only executions of this user.'),
        inQuery('id', 'Only executions whose id begins like this.'),
        inQuery('before', '`next` of the last page.'),
        limited,
      ],
      answers: {
        200: 'A page; shorter than `limit` if the prompts are large. A large result is left out: read the execution itself.',
        404: anonymous,
        422: invalidQuery,
      },
    },
    handle: async (call) => {
      const by = await who(call);
      if (by.userId === undefined && !by.isOperator) return refusal(404, 'Not Found');
      const query = new URLSearchParams(call.query);
      const page = await runtime.list(by, {
        status: readStatus(readOne(query, 'status')),
        workflow: readOne(query, 'workflow'),
        owner: readOne(query, 'owner'),
        id: readOne(query, 'id'),
        before: readOne(query, 'before'),
        limit: readCount(query, 'limit', PAGE),
      });
      const executions = fitting(page.executions, (execution): ListedExecution => {
        const { workflow, owner, error, startedAt, settledAt, pauses } = execution.context;
        return {
          workflow,
          owner,
          phase: execution.phase,
          code: error?.code ?? null,
          started_at: iso(startedAt),
          settled_at: isoOrNull(settledAt),
          due_at: isoOrNull(firstDue(pauses)),
          ...wire.listed(execution),
        };
      });
      const last = executions.length < page.executions.length ? page.executions[executions.length - 1] : undefined;
      return json(200, { executions, next: (last === undefined ? page.next : cursorAt(last.context)) ?? null });
    },
  }),
  // Without this, a superfluous slash would find the route above. NAT's clients expect 404.
  { method: 'GET', path: '/executions/', about: null, handle: () => refusal(404, 'Not Found') },
  route({
    method: 'GET',
    path: '/interactions',
    reply: inboxBody,
    about: {
      tag: 'executions',
      summary: 'The prompts and consents that wait for you',
      parameters: [limited],
      answers: {
        200: 'Open prompts and consents, oldest first; with large prompts the newest may be left out.',
        404: anonymous,
        422: invalidQuery,
      },
    },
    handle: async (call) => {
      const by = await who(call);
      if (by.userId === undefined && !by.isOperator) return refusal(404, 'Not Found');
      const open = await runtime.inbox(by, readCount(new URLSearchParams(call.query), 'limit', PAGE));
      const interactions = fitting(
        open,
        ({ executionId, workflow, pause }): InboxItem => ({
          execution_id: executionId,
          workflow,
          opened_at: iso(pause.openedAt),
          due_at: isoOrNull(shownDueAt(pause)),
          ...wire.pause(executionId, pause),
        }),
      );
      return json(200, { interactions });
    },
  }),
];

/** The bodies of the first of them: at least one, and no more than the maximum of a reply. */
const fitting = <Item, Body>(items: readonly Item[], bodyOf: (item: Item) => Body): Body[] => {
  const bodies: Body[] = [];
  let length = 0;
  for (const item of items) {
    const body = bodyOf(item);
    length += JSON.stringify(body).length;
    if (bodies.length > 0 && length > MAX_PAGE_LENGTH) break;
    bodies.push(body);
  }
  return bodies;
};

const shown = (execution: ExecutionView, wire: Wire): Reply<ExecutionBody> =>
  json(200, wire.status(execution), { 'execution-seq': String(execution.context.seq) });

/**
 * Long polling: resolves after `wait` seconds at the latest. With `after` it resolves when there is a later fact, else when
 * the status changes or another question is open.
 */
const newsOf = (runtime: Runtime, execution: ExecutionView, call: Call): Awaitable<boolean> => {
  const query = new URLSearchParams(call.query);
  const seconds = readCount(query, 'wait', { least: 0, most: MAX_WAIT_S, fallback: 0 });
  const after = readCount(query, 'after', { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: -1 });
  if (seconds === 0) return true;
  const before = seenOf(execution);
  const isNews =
    after < 0
      ? (now: ExecutionView): boolean => seenOf(now) !== before
      : ({ context }: ExecutionView): boolean => context.seq > after;
  const hasNews = (now: ExecutionView): boolean => now.isSettled || isNews(now);
  return runtime.waitUntil(execution, hasNews, { timeoutMs: seconds * 1000, client: call });
};

/** Changes with the status, which the open question decides. */
const seenOf = ({ context }: ExecutionView): string | undefined => firstAwaited(context)?.id;

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

const firstDue = (pauses: readonly Pause[]): number | null => {
  const dues = pauses.flatMap((pause) => shownDueAt(pause) ?? []);
  return dues.length === 0 ? null : Math.min(...dues);
};

const readStatus = (given: string | undefined): ExecutionFilter['status'] => {
  if (given === undefined) return undefined;
  const wanted = STANDS.find((stand) => stand === given);
  if (wanted !== undefined) return wanted;
  const detail = `status: expected one of ${STANDS.join(', ')}, got ${JSON.stringify(given.slice(0, 40))}.`;
  throw new Failure('request_invalid', { detail });
};
