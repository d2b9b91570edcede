/** The schemas of executions and their prompts. */
import { z } from 'zod';
import type { AcceptedBody, CompletedBody, ExecutionBody, OpenPause } from '../../client/wire.ts';
import { PROMPT_KINDS, PROMPTS, type Prompt } from '../../runtime/index.ts';

/**
 * The schema of a body whose type stands in `client/wire.ts`, because clients have no zod. The compiler checks that both
 * allow the same values.
 */
export const bodyLike =
  <Body>() =>
  <Output extends Body>(schema: z.ZodType<Output> & (Body extends Output ? unknown : never)): z.ZodType<Body> =>
    schema;

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

export const openPause = bodyLike<OpenPause>()(z.discriminatedUnion('status', [openInteraction, openConsent]));

const blocked = z
  .object({ expected: z.string(), came: z.string(), version: z.string(), since: time })
  .meta({ id: 'Blocked' });

export const executionBody = bodyLike<ExecutionBody>()(
  z
    .intersection(
      z.object({ execution_id: z.string(), blocked: blocked.exactOptional() }),
      z.union([
        running,
        z.intersection(openPause, z.object({ pending: z.array(openPause).exactOptional() })),
        z.object({ status: z.literal('completed'), result: z.unknown() }),
        z.object({ status: z.literal('failed'), error: z.string() }),
      ]),
    )
    .meta({ id: 'Execution' }),
);

/** In a list, a large result is left out. */
export const listedBody = bodyLike<ExecutionBody | CompletedBody>()(
  z.union([executionBody, z.object({ execution_id: z.string(), status: z.literal('completed') })]),
);

export const acceptedBody = bodyLike<AcceptedBody>()(
  z
    .intersection(
      z.object({ execution_id: z.string(), status_url: z.string() }),
      z.discriminatedUnion('status', [running, openInteraction, openConsent]),
    )
    .meta({ id: 'Accepted' }),
);
