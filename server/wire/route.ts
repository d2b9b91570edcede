/** Routes that take and give JSON: one schema of a body is its type, its parser and its entry in the OpenAPI document. */
import type { z } from 'zod';
import { Failure, type JsonSchema, jsonSchemaOf } from '../../runtime/index.ts';
import { type About, type Answer, type Content, json as content, ref, refusedWithProblem } from '../http/about.ts';
import { ValidationFailure } from '../http/mistakes.ts';
import { json } from '../http/problems.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { readJsonBody } from './json-body.ts';
import { createReader, type Reading } from './pydantic/reader.ts';

export interface RouteOptions<Body, Result> extends Omit<Route, 'about' | 'handle'> {
  /** What the request sends. A body that does not fit is refused with 422 and one entry per mistake. Default: none is read. */
  readonly body?: z.ZodType<Body>;
  /** What the refusal of a body says, if it must not repeat the body, which may hold a secret. */
  readonly unfit?: string;
  /** What `give` sends with status 200. */
  readonly reply?: z.ZodType<Result>;
  /** `answers`: beside 200 for `reply`, and 422 for `body`. */
  readonly about: Omit<About, 'body' | 'answers'> & { readonly answers?: About['answers'] };
  /** `body` has been parsed; undefined without a schema. */
  handle(call: Call, body: Body, give: (result: Result) => Reply): Reply | Promise<Reply>;
}

/** The schemas are compiled here, and not for each request. */
export const route = <Body = undefined, Result = never>({
  body,
  unfit,
  reply,
  about,
  handle,
  ...rest
}: RouteOptions<Body, Result>): Route => {
  const read = body && bodyReader(body, unfit);
  return {
    ...rest,
    about: {
      ...about,
      ...(body && { body: shownOf(jsonSchemaOf(body)) }),
      answers: {
        ...(reply && { 200: { description: 'Done.', content: shownOf(jsonSchemaOf(reply, 'output')) } }),
        ...(body && { 422: unfit === undefined ? mistakes : refusedWithProblem('The body does not fit.') }),
        ...about.answers,
      },
    },
    handle: (call) => {
      if (read === undefined) return handle(call, undefined as Body, give);
      const value = read(call);
      return value instanceof Promise ? value.then((late) => handle(call, late, give)) : handle(call, value, give);
    },
  };
};

/** A schema stands inside of the document, where its own references would lead elsewhere. */
const shownOf = ({ $schema: _, ...schema }: JsonSchema): Content => {
  if (schema.$defs === undefined) return content(schema);
  throw new Error('the schema of a body in route() must have no named parts (meta id) and not refer to itself');
};

const give = (result: unknown): Reply => json(200, result);

const mistakes: Answer = { description: 'The body does not fit.', content: content(ref('ValidationRefusal')) };

/** A promise only for a schema that validates asynchronously. */
const bodyReader = <Body>(
  schema: z.ZodType<Body>,
  unfit: string | undefined,
): ((call: Call) => Body | Promise<Body>) => {
  const read = createReader(schema, jsonSchemaOf(schema));
  const refuse = (thrown: unknown): never => {
    if (unfit === undefined || !(thrown instanceof ValidationFailure)) throw thrown;
    throw new Failure('request_invalid', { detail: unfit });
  };
  return ({ headers, body }) => {
    try {
      const reading = read(readJsonBody(headers['content-type'], body));
      return reading instanceof Promise ? reading.then(parsed<Body>).catch(refuse) : parsed<Body>(reading);
    } catch (thrown) {
      return refuse(thrown);
    }
  };
};

const parsed = <Body>(reading: Reading): Body => {
  if (reading.issues !== undefined) throw new ValidationFailure(reading.issues);
  return reading.value as Body;
};
