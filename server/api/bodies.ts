/** The schemas of lists, journals and workflows. */
import { z } from 'zod';
import type {
  BuilderListBody,
  ExecutionListBody,
  InboxBody,
  JournalBody,
  WorkflowListBody,
} from '../../client/wire.ts';
import { bodyLike, listedBody, openPause, time } from '../wire/schemas.ts';

const listedExecution = z.object({
  workflow: z.string(),
  owner: z.string().nullable(),
  phase: z.enum(['queued', 'executing', 'waiting', 'settled']),
  code: z.string().nullable(),
  started_at: time,
  settled_at: time.nullable(),
  due_at: time.nullable(),
});

export const executionListBody = bodyLike<ExecutionListBody>()(
  z
    .object({ executions: z.array(z.intersection(listedExecution, listedBody)), next: z.string().nullable() })
    .meta({ id: 'ExecutionList' }),
);

const inboxItem = z.object({
  execution_id: z.string(),
  workflow: z.string(),
  opened_at: time,
  due_at: time.nullable(),
});

export const inboxBody = bodyLike<InboxBody>()(
  z.object({ interactions: z.array(z.intersection(inboxItem, openPause)) }).meta({ id: 'Inbox' }),
);

/** The other members of an entry depend on its type. */
const entries = z.array(z.object({ seq: z.int(), type: z.string(), at: z.number() })) as unknown as z.ZodType<
  JournalBody['entries']
>;

export const journalBody = bodyLike<JournalBody>()(
  z.object({ entries, truncated_through: z.int().nullable() }).meta({ id: 'Journal' }),
);

const workflowBody = z.object({
  name: z.string(),
  is_per_user: z.boolean(),
  method: z.enum(['GET', 'POST']),
  path: z.string().nullable(),
  input: z.record(z.string(), z.unknown()).nullable(),
});

export const workflowListBody = bodyLike<WorkflowListBody>()(
  z.object({ workflows: z.array(workflowBody) }).meta({ id: 'WorkflowList' }),
);

const builderBody = z.object({
  builder_id: z.string(),
  workflow: z.string(),
  version: z.string(),
  user: z.string().nullable(),
  state: z.string(),
  created_at: time,
  last_activity: time,
  executions: z.int(),
  slots: z.object({
    limit: z.int().nullable(),
    held: z.int(),
    queued: z.int(),
    max_queued: z.int().nullable(),
  }),
  requests: z.object({ total: z.int(), failed: z.int(), avg_latency_ms: z.number().nullable() }),
});

export const builderListBody = bodyLike<BuilderListBody>()(
  z.object({ builders: z.array(builderBody) }).meta({ id: 'BuilderList' }),
);

export const placesBody = z
  .looseObject({ name: z.string(), version: z.string(), workflows: z.record(z.string(), z.string()) })
  .meta({ id: 'Places' });
