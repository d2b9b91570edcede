/** Answers prompts. The body is checked before the ids, as on NAT: an invalid body is reported first. */
import {
  aboutPrompt,
  Failure,
  type Json,
  type Pick,
  PROMPT_KINDS,
  type PromptKind,
  type Response,
} from '../../../runtime/index.ts';
import { type ValidationEntry, ValidationFailure } from '../../http/mistakes.ts';
import { readIdempotencyKey } from '../../http/preferences.ts';
import { refusal } from '../../http/problem.ts';
import type { Route } from '../../http/route.ts';
import type { App } from '../../protocol.ts';
import { readJsonBody } from '../../wire/json-body.ts';
import { inPython } from '../../wire/pydantic/scalars.ts';
import { aboutAnswer } from './about.ts';

export const interactionRoutes = ({ runtime, who }: App): Route[] => [
  {
    method: 'POST',
    path: '/executions/:executionId/interactions/:interactionId/response',
    about: aboutAnswer,
    handle: async (call) => {
      const { executionId, interactionId } = call.params as { executionId: string; interactionId: string };
      const response = readResponse(readJsonBody(call.headers['content-type'], call.body));
      const key = readIdempotencyKey(call.headers['idempotency-key']);
      try {
        const outcome = await runtime.answer(executionId, interactionId, response, await who(call), key);
        if (outcome === 'accepted') return { status: 204 };
        if (outcome === 'already_answered') {
          return refusal(400, `Interaction ${interactionId} has already been resolved`);
        }
        return refusal(404, `'Interaction ${interactionId} not found for execution ${executionId}'`);
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        if (thrown.code === 'execution_not_found') return refusal(404, `'${thrown.message}'`);
        if (thrown.code !== 'answer_invalid') throw thrown;
        throw refused('value_error', [], `Value error, ${thrown.message}`, response, { error: {} });
      }
    },
  },
];

type Body = Readonly<Record<string, unknown>>;

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value);

const refused = (
  type: string,
  loc: readonly (string | number)[],
  msg: string,
  input: unknown,
  ctx?: Record<string, unknown>,
): ValidationFailure => {
  const entry: ValidationEntry = { type, loc: ['body', 'response', ...loc], msg, input };
  return new ValidationFailure([ctx === undefined ? entry : { ...entry, ctx }]);
};

const NOT_AN_OBJECT = 'Input should be a valid dictionary or object to extract fields from';

/** NAT's tag is `type`; its documentation says `input_type`. Both are accepted. */
const readResponse = (body: unknown): Response => {
  if (!isBody(body))
    throw new ValidationFailure([{ type: 'model_attributes_type', loc: ['body'], msg: NOT_AN_OBJECT, input: body }]);
  const { response } = body;
  if (response === undefined) {
    throw new ValidationFailure([{ type: 'missing', loc: ['body', 'response'], msg: 'Field required', input: body }]);
  }
  if (!isBody(response)) throw refused('model_attributes_type', [], NOT_AN_OBJECT, response);
  const kind = readKind(response);
  const { takes } = aboutPrompt(kind);
  if (takes === 'text' || takes === 'acknowledgement') return { kind, text: readText(kind, response) };
  return { kind, picks: readPicks(kind, response) };
};

const readKind = (response: Body): PromptKind => {
  const tag = response.type === undefined ? response.input_type : response.type;
  const discriminator = "'type'";
  if (tag === undefined) {
    const msg = `Unable to extract tag using discriminator ${discriminator}`;
    throw refused('union_tag_not_found', [], msg, response, { discriminator });
  }
  if (PROMPT_KINDS.some((kind) => kind === tag)) return tag as PromptKind;
  const known = PROMPT_KINDS.filter((kind) => aboutPrompt(kind).nat === kind);
  const expected = known.map((kind) => `<HumanPromptModelType.${kind.toUpperCase()}: '${kind}'>`);
  const ctx = {
    discriminator,
    tag: typeof tag === 'string' ? tag : inPython(tag),
    expected_tags: expected.join(', '),
  };
  const msg = `Input tag '${ctx.tag}' found using ${discriminator} does not match any of the expected tags: ${ctx.expected_tags}`;
  throw refused('union_tag_invalid', [], msg, response, ctx);
};

const readText = (kind: PromptKind, response: Body): string => {
  const { text } = response;
  if (typeof text === 'string') return text;
  if (text === undefined && aboutPrompt(kind).takes === 'acknowledgement') return 'Notification acknowledgement.';
  if (text === undefined) throw refused('missing', [kind, 'text'], 'Field required', response);
  throw new ValidationFailure([notText([kind, 'text'], text)]);
};

const notText = (loc: readonly string[], input: unknown): ValidationEntry => ({
  type: 'string_type',
  loc: ['body', 'response', ...loc],
  msg: 'Input should be a valid string',
  input,
});

/** One option, or for a checkbox also a list of options. */
const readPicks = (kind: PromptKind, response: Body): Pick[] => {
  const { selected_option: one, selected_options: many } = response;
  if (aboutPrompt(kind).takes === 'many' && Array.isArray(many))
    return many.map((option) => readPick(kind, 'selected_options', option));
  if (one === undefined) throw refused('missing', [kind, 'selected_option'], 'Field required', response);
  return [readPick(kind, 'selected_option', one)];
};

/** NAT fills absent members with the word `default`, and so do its clients. */
const readPick = (kind: PromptKind, member: string, option: unknown): Pick => {
  if (!isBody(option)) throw refused('model_attributes_type', [kind, member], NOT_AN_OBJECT, option);
  const { id, value } = option as { readonly id?: string; readonly value?: unknown };
  const texts = aboutPrompt(kind).nat === 'binary_choice' ? ['id', 'label'] : ['id', 'label', 'value', 'description'];
  const wrong = texts.filter((name) => option[name] !== undefined && typeof option[name] !== 'string');
  if (wrong.length > 0) throw new ValidationFailure(wrong.map((name) => notText([kind, member, name], option[name])));
  if (id !== undefined && id !== 'default') return { id };
  return value === undefined ? { id: 'default' } : { value: value as Json };
};
