/** The schemas of NAT's replies, besides those of executions. */
import { z } from 'zod';

export const workflowErrorBody = z
  .object({ code: z.literal('workflow_error'), message: z.string(), details: z.string() })
  .meta({ id: 'WorkflowError', description: 'The workflow ran, and failed.' });

const job = {
  job_id: z.string(),
  status: z.enum(['submitted', 'running', 'success', 'failure', 'interrupted']),
};

export const jobStatusBody = z.object(job).meta({ id: 'JobStatus' });

export const jobBody = z
  .object({
    ...job,
    error: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
    expires_at: z.string().nullable(),
    output: z.unknown(),
  })
  .meta({ id: 'Job' });

const members = z.record(z.string(), z.unknown());

/** A workflow may give completions of its own, with fewer members; the compiler cannot know. */
export const chatCompletionBody: z.ZodType<unknown> = z
  .object({
    object: z.literal('chat.completion'),
    choices: z.array(
      z.object({
        index: z.int().exactOptional(),
        finish_reason: z.string().nullable().exactOptional(),
        message: members.nullable().exactOptional(),
      }),
    ),
    id: z.string().exactOptional(),
    model: z.string().exactOptional(),
    created: z.int().exactOptional(),
    usage: members.nullable().exactOptional(),
  })
  .meta({ id: 'ChatCompletion' });

/** In OpenAI's form: each model is a workflow. `created` is in seconds. */
export const modelBody = z
  .object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })
  .meta({ id: 'Model' });

export const modelListBody = z
  .object({ object: z.literal('list'), data: z.array(modelBody) })
  .meta({ id: 'ModelList' });
