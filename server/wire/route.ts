/** Routes: one schema of a body is its type, its parser and its entry in the OpenAPI document. */
import { z } from 'zod';
import { Failure } from '../../runtime/index.ts';
import { type About, type Answer, type Content, inJson, refusedBody, type Schema } from '../http/about.ts';
import { ValidationFailure } from '../http/mistakes.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { readJsonBody } from './json-body.ts';
import { createReader, type Reading } from './pydantic/reader.ts';

export interface RouteOptions<Body, Result> extends Omit<Route, 'about' | 'handle'> {
  /** What the request sends. A body that does not fit is refused with 422. Default: none is read. */
  readonly body?: z.ZodType<Body> | RequestBody<Body>;
  /** The JSON of replies with status 200. Replies are not checked against it, except by the compiler. Default: none. */
  readonly reply?: Schema<Result>;
  readonly about: AboutRoute;
  /** `body` has been parsed; undefined without a schema. */
  handle(call: Call, body: Body): Reply<NoInfer<Result>> | Promise<Reply<NoInfer<Result>>>;
}

export interface AboutRoute extends Omit<About, 'answers'> {
  /** Beside 200 for `reply`, and 422 for a `body` of zod. A text is a description. */
  readonly answers?: Readonly<Record<number, Answer | string>>;
}

/** A body with a parser of its own. */
export interface RequestBody<Body> {
  /** For the OpenAPI document. Default: the request has no body. */
  readonly content?: Content;
  /** Throws or rejects with the refusal of a body that does not fit. */
  read(call: Call): Body | Promise<Body>;
}

/** The schemas are compiled here, and not for each request. */
export const route = <Body = undefined, Result = never>({
  body: given,
  reply,
  about,
  handle,
  ...rest
}: RouteOptions<Body, Result>): Route => {
  const body = given instanceof z.ZodType ? jsonBody(given) : given;
  const answers: Record<number, Answer> =
    given instanceof z.ZodType ? { 422: refusedBody('The body does not fit.') } : {};
  if (reply !== undefined) answers[200] = { description: 'Done.', content: inJson(reply) };
  for (const [status, answer] of Object.entries(about.answers ?? {})) {
    const own = typeof answer === 'string' ? { description: answer } : answer;
    const { content } = answers[Number(status)] ?? {};
    answers[Number(status)] = { ...own, ...((content ?? own.content) && { content: { ...content, ...own.content } }) };
  }
  return {
    ...rest,
    about: { ...about, ...(body?.content && { body: body.content }), answers },
    handle: body === undefined ? (handle as Route['handle']) : reading(body, handle),
  };
};

/** Does not wait for a body that is read at once. */
const reading =
  <Body>({ read }: RequestBody<Body>, handle: RouteOptions<Body, unknown>['handle']): Route['handle'] =>
  (call) => {
    const body = read(call);
    return body instanceof Promise ? body.then((late) => handle(call, late)) : handle(call, body);
  };

/** Refuses with one entry for each mistake; or with `unfit`, if a refusal must not repeat the body, which may hold a secret. */
export const jsonBody = <Body>(schema: z.ZodType<Body>, unfit?: string): RequestBody<Body> => {
  const read = createReader(schema);
  const refuse = (thrown: unknown): never => {
    if (unfit === undefined || !(thrown instanceof ValidationFailure)) throw thrown;
    throw new Failure('request_invalid', { detail: unfit });
  };
  return {
    content: inJson(schema),
    read: ({ headers, body }) => {
      try {
        const reading = read(readJsonBody(headers['content-type'], body));
        return reading instanceof Promise ? reading.then(bodyOf<Body>).catch(refuse) : bodyOf<Body>(reading);
      } catch (thrown) {
        return refuse(thrown);
      }
    },
  };
};

/** Throws the mistakes. */
export const bodyOf = <Body>(reading: Reading): Body => {
  if (reading.issues !== undefined) throw new ValidationFailure(reading.issues);
  return reading.value as Body;
};
