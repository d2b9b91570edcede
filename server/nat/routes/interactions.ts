/** Answers prompts. The body is checked before the ids, as on NAT: an invalid body is reported first. */
import { z } from 'zod';
import {
  aboutPrompt,
  Failure,
  type Json,
  type Pick,
  PROMPT_KINDS,
  type PromptKind,
  type Response,
} from '../../../runtime/index.ts';
import { inHeader, inJson, problem, refused, refusedBody } from '../../http/about.ts';
import { ValidationFailure, validationRefusal } from '../../http/mistakes.ts';
import { readIdempotencyKey } from '../../http/preferences.ts';
import { refusal } from '../../http/problem.ts';
import type { Route } from '../../http/route.ts';
import type { App } from '../../protocol.ts';
import { readJsonBody } from '../../wire/json-body.ts';
import { isRecord } from '../../wire/pydantic/containers.ts';
import { createReader, type Reading } from '../../wire/pydantic/reader.ts';
import { entryOf, NAMED } from '../../wire/pydantic/scalars.ts';
import { bodyOf, type RequestBody, route } from '../../wire/route.ts';

export const interactionRoutes = ({ runtime, who }: App): Route[] => [
  route({
    method: 'POST',
    path: '/executions/:executionId/interactions/:interactionId/response',
    body: answerBody,
    about: {
      tag: 'executions',
      summary: 'Answers a prompt',
      parameters: [inHeader('Idempotency-Key', 'A repetition with the same key is accepted like the first.')],
      answers: {
        204: 'Done.',
        400: refused('It has been answered already.'),
        404: refused('There is no such prompt, or it is not yours.'),
        422: {
          ...refusedBody('The answer does not fit the prompt.'),
          content: { ...inJson(validationRefusal), ...problem },
        },
      },
    },
    handle: async (call, response) => {
      const { executionId, interactionId } = call.params as { executionId: string; interactionId: string };
      const key = readIdempotencyKey(call.headers['idempotency-key']);
      try {
        const caller = who(call);
        const by = caller instanceof Promise ? await caller : caller;
        const outcome = await runtime.answer(executionId, interactionId, response, by, key);
        if (outcome === 'accepted') return { status: 204 };
        if (outcome === 'already_answered') {
          return refusal(400, `Interaction ${interactionId} has already been resolved`);
        }
        return refusal(404, `'Interaction ${interactionId} not found for execution ${executionId}'`);
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        if (thrown.code === 'execution_not_found') return refusal(404, `'${thrown.message}'`);
        if (thrown.code !== 'answer_invalid') throw thrown;
        const msg = `Value error, ${thrown.message}`;
        const loc = ['body', 'response'];
        throw new ValidationFailure([{ type: 'value_error', loc, msg, input: response, ctx: { error: {} } }]);
      }
    },
  }),
];

interface Option {
  readonly id?: string | undefined;
  readonly value?: unknown;
}

interface Given {
  readonly type: PromptKind;
  readonly text?: string;
  readonly selected_option?: Option;
  readonly selected_options?: readonly Option[] | null;
}

const text = z.string().optional();
const description = 'By its id, or by its value.';
const option = z
  .looseObject({ id: text, label: text, value: text, description: text })
  .meta({ id: 'PickedOption', description });
const ofAnyValue = z
  .looseObject({ id: text, label: text, value: z.unknown().optional() })
  .meta({ id: 'PickedBinaryOption', description });

const givenFor = (kind: PromptKind) => {
  const { takes, nat } = aboutPrompt(kind);
  const type = z.literal(kind);
  const one = nat === 'binary_choice' ? ofAnyValue : option;
  switch (takes) {
    case 'text':
      return z.looseObject({ type, text: z.string() });
    case 'acknowledgement':
      return z.looseObject({ type, text: z.string().default('Notification acknowledgement.') });
    case 'one':
      return z.looseObject({ type, selected_option: one });
    case 'many':
      return z
        .looseObject({ type, selected_option: one.optional(), selected_options: z.array(one).nullish() })
        .meta({ description: 'Either `selected_option` or `selected_options` is required.' });
  }
};

/** NAT's refusals name its own kinds. */
const tags = PROMPT_KINDS.filter((kind) => aboutPrompt(kind).nat === kind).map(
  (kind) => `<HumanPromptModelType.${kind.toUpperCase()}: '${kind}'>`,
);
const given = z
  .discriminatedUnion('type', PROMPT_KINDS.map(givenFor) as [ReturnType<typeof givenFor>])
  .meta({ description: '`input_type` is accepted instead of `type`.', [NAMED]: tags });
const answer = z.object({ response: given }).meta({ id: 'InteractionAnswer' });

const read = createReader(answer);

const answerBody: RequestBody<Response> = {
  content: inJson(answer),
  read: ({ headers, body }) => {
    const reading = read(withType(readJsonBody(headers['content-type'], body))) as Reading; // the schema is synchronous
    return responseOf(bodyOf<{ readonly response: Given }>(reading).response);
  },
};

/** NAT's tag is `type`; its documentation says `input_type`. */
const withType = (body: unknown): unknown => {
  if (!isRecord(body) || !isRecord(body.response)) return body;
  const { type, input_type } = body.response;
  if (type !== undefined || input_type === undefined) return body;
  return { ...body, response: { ...body.response, type: input_type } };
};

const responseOf = (response: Given): Response => {
  const { type: kind, selected_option: one } = response;
  const { takes } = aboutPrompt(kind);
  if (takes === 'text' || takes === 'acknowledgement') return { kind, text: response.text! };
  const many = takes === 'many' ? response.selected_options : undefined;
  if (many) return { kind, picks: many.map(pickOf) };
  if (one !== undefined) return { kind, picks: [pickOf(one)] };
  throw new ValidationFailure([entryOf('missing', response, ['body', 'response', kind, 'selected_option'])]);
};

/** NAT fills absent members with the word `default`, and so do its clients. */
const pickOf = ({ id, value }: Option): Pick => {
  if (id !== undefined && id !== 'default') return { id };
  return value === undefined ? { id: 'default' } : { value: value as Json };
};
