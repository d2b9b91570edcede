/** The schemas of executions and their prompts. The types in `client/wire.ts` stand there because clients have no zod. */
import { z } from 'zod';
import type { AcceptedBody, BlockedBody, ExecutionBody, OpenPause } from '../../client/wire.ts';
import { PROMPT_KINDS, PROMPTS, type Prompt } from '../../runtime/index.ts';

export const time = z.string().meta({ format: 'date-time' });

/** The prompt table has JSON Schemas, because machines import no zod. */
const membersOf = (kind: Prompt['input_type']) =>
  Object.fromEntries(Object.entries(PROMPTS[kind].members).map(([name, schema]) => [name, z.unknown().meta(schema)]));

const promptOf = (kind: Prompt['input_type']) =>
  z.object({
    input_type: z.literal(kind),
    text: z.string(),
    timeout: z.int().nullable(),
    error: z.string().nullable(),
    ...membersOf(kind),
  });

const prompt = z
  .discriminatedUnion('input_type', PROMPT_KINDS.map(promptOf) as [ReturnType<typeof promptOf>])
  .meta({ id: 'Prompt' }) as unknown as z.ZodType<Prompt>;

const openInteraction = z
  .object({
    status: z.literal('interaction_required'),
    interaction_id: z.string(),
    prompt,
    response_url: z.string(),
  })
  .meta({ id: 'OpenInteraction' });

const openConsent = z
  .object({ status: z.literal('oauth_required'), auth_url: z.string(), oauth_state: z.string() })
  .meta({ id: 'OpenConsent' });

const running = z.object({ status: z.literal('running') });

export const openPause = z.discriminatedUnion('status', [openInteraction, openConsent]) satisfies z.ZodType<OpenPause>;

const blocked = z
  .object({ expected: z.string(), came: z.string(), version: z.string(), since: time })
  .meta({ id: 'Blocked' }) satisfies z.ZodType<BlockedBody>;

export const executionBody: z.ZodType<ExecutionBody> = z
  .intersection(
    z.object({ execution_id: z.string(), blocked: blocked.exactOptional() }),
    z.union([
      running,
      z.intersection(openPause, z.object({ pending: z.array(openPause).exactOptional() })),
      z.object({ status: z.literal('completed'), result: z.unknown() }),
      z.object({ status: z.literal('failed'), error: z.string() }),
    ]),
  )
  .meta({ id: 'Execution' });

export const acceptedBody: z.ZodType<AcceptedBody> = z
  .intersection(
    z.object({ execution_id: z.string(), status_url: z.string() }),
    z.discriminatedUnion('status', [running, openInteraction, openConsent]),
  )
  .meta({ id: 'Accepted' });
