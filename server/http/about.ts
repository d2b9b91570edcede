/** The description of a route for the OpenAPI document: the types that `server/openapi/` uses. */
import { z } from 'zod';
import type { JsonSchema } from '../../runtime/index.ts';
import { validationRefusal } from './mistakes.ts';

/** A schema of bodies. Schemas with a name are listed once: those of zod with `meta({ id })`, and those of workflows. */
export type Schema<Value = unknown> = z.ZodType<Value> | NamedSchema<Value>;

export interface NamedSchema<Value = unknown> {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly [typeOfValue]?: Value;
}

declare const typeOfValue: unique symbol;

/** By media type. */
export type Content = Readonly<Record<string, Schema>>;

export interface Answer {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: readonly HeaderName[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly description: string;
  readonly schema: JsonSchema;
}

export interface About {
  readonly tag: keyof typeof tags;
  readonly summary: string;
  readonly description?: string;
  /** Parameters of the path are taken from the path. */
  readonly parameters?: readonly Parameter[];
  readonly body?: Content;
  /** Replies by status. Replies that any request can get (401, 413, 500, 503, ...) are added to all routes. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The credential of a route. Default `caller`: any caller, who then owns the started executions. */
  readonly credential?: 'caller' | 'operator' | 'none';
}

export const tags = {
  workflows: 'Starting executions.',
  chat: 'Workflows as chat completions.',
  jobs: 'Executions that are started now and read later.',
  executions: 'Status, prompts and journals of executions.',
  files: 'Files of the object store.',
  server: 'The server itself.',
} as const;

export const headers = {
  'Execution-Id': 'The execution; it can be looked up under `/executions`.',
  'Execution-Seq': 'The number of its last fact; `after` takes it.',
  'Idempotent-Replayed': '`true` if the execution had been started by an earlier request with this key.',
  Location: 'The path of its status.',
  'Preference-Applied': 'Which preference of `Prefer` was followed.',
  'Observability-Trace-Id': 'The id of the run in the system to which traces are exported.',
  'Retry-After': 'Seconds after which a retry may succeed.',
} as const;

export type HeaderName = keyof typeof headers;

export const text: JsonSchema = { type: 'string' };
export const count = (least: number, most?: number): JsonSchema =>
  most === undefined ? { type: 'integer', minimum: least } : { type: 'integer', minimum: least, maximum: most };

export const inQuery = (name: string, description: string, schema: JsonSchema = text): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});

export const inHeader = (name: string, description: string, schema: JsonSchema = text): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
});

export const inJson = (schema: Schema): Content => ({ 'application/json': schema });
export const events: Content = { 'text/event-stream': z.string() };
export const html: Content = { 'text/html': z.string() };
/** Of any media type. */
export const bytes: Content = { '*/*': z.unknown() };

export const problem: Content = {
  'application/problem+json': z
    .object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      code: z.string().optional(),
    })
    .meta({ id: 'Problem', description: 'RFC 9457. `code` names the failure where there is one.' }),
};

/** A refusal in our own form. */
export const refusedWithProblem = (description: string): Answer => ({ description, content: problem });

const refusal = z.object({ detail: z.string() }).meta({ id: 'Refusal' });

/** A refusal in the form of NAT. */
export const refused = (description: string): Answer => ({ description, content: inJson(refusal) });

/** An invalid body, with all its mistakes. */
export const refusedBody = (description: string): Answer => ({ description, content: inJson(validationRefusal) });

/** Too many requests are waiting. */
export const busy: Answer = {
  ...refusedWithProblem('Too many executions wait for a run slot.'),
  headers: ['Retry-After'],
};
