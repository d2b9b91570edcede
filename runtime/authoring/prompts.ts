/**
 * The prompts of workflows and the answers to them.
 *
 * A prompt is plain data in the form of NAT's clients. The functions below check the author's arguments and know the
 * type of the answer. Each answer is checked against its prompt before it reaches the execution.
 */
import { isDeepStrictEqual } from 'node:util';
import { aboutPrompt, optionsOf } from '../../machines/prompt-table.ts';
import type {
  Answer,
  BinaryAnswer,
  BinaryOption,
  ChoiceKind,
  ChoicePrompt,
  Json,
  ManyAnswer,
  NotificationAnswer,
  OneAnswer,
  Option,
  Prompt,
  PromptBase,
  PromptKind,
  TextAnswer,
  TextPrompt,
} from '../../machines/prompts.ts';
import { Failure } from '../errors.ts';
import { toJson } from '../json.ts';

export type * from '../../machines/prompts.ts';

/** A prompt with the type of its answer, and its default. */
export type Question<A extends Answer> = {
  readonly prompt: Prompt;
  /** The answer after the deadline. Without it, `ctx.prompt` rejects with a `TimeoutError`. */
  readonly fallback?: A;
};

/** The response of a client, independent of the wire: a text, or options by id or value. */
export type Response = { readonly kind: PromptKind; readonly text?: string; readonly picks?: readonly Pick[] };
export type Pick = { readonly id?: string; readonly value?: Json };

type Common = {
  text: string;
  /** Whole seconds until the prompt expires, 1 to a hundred years. Default: the limit for parked executions. */
  timeoutS?: number | undefined;
  /** The text that clients show after the deadline. */
  error?: string | undefined;
};

/** A hundred years, to stay below the maximum of a JavaScript date. */
const LONGEST_S = 3_155_760_000;

const refuse = (detail: string): never => {
  throw new Failure('prompt_invalid', { detail });
};

const base = ({ text, timeoutS, error = 'This prompt is no longer available.' }: Common): PromptBase => {
  if (typeof text !== 'string') refuse(`A prompt needs a text, got ${typeof text}.`);
  if (timeoutS !== undefined && !(Number.isInteger(timeoutS) && timeoutS > 0 && timeoutS <= LONGEST_S)) {
    refuse(`timeoutS must be a whole number of seconds from 1 to ${LONGEST_S}, got ${timeoutS}.`);
  }
  return { text, timeout: timeoutS ?? null, error };
};

const question = <A extends Answer>(prompt: Prompt, fallback: Response | undefined): Question<A> => {
  if (fallback === undefined) return { prompt };
  if (prompt.timeout === null) refuse('A default needs timeoutS: without it the prompt never expires.');
  try {
    return { prompt, fallback: readAnswer(prompt, fallback) as A };
  } catch (error) {
    return refuse(`The default does not fit its own prompt: ${Failure.from(error).message}`);
  }
};

/** `required` (default true) refuses an empty answer. */
export const text = (
  given: Common & { placeholder?: string; required?: boolean; default?: string },
): Question<TextAnswer> => {
  const { placeholder = null, required = true } = given;
  const { text, timeout, error } = base(given);
  const prompt: TextPrompt = { text, timeout, error, input_type: 'text', placeholder, required };
  return question(prompt, given.default === undefined ? undefined : { kind: 'text', text: given.default });
};

/** A message without a question: the run continues at once with an acknowledgement. */
export const notification = (given: Common): Question<NotificationAnswer> => ({
  prompt: { ...base(given), input_type: 'notification' },
});

/** Exactly two options; their values may be any JSON. `default` is the id of one of them. */
export const binaryChoice = (
  given: Common & { options: readonly BinaryOption[]; default?: string },
): Question<BinaryAnswer> => {
  if (given.options?.length !== 2) refuse('Binary interactions must have exactly two options.');
  const options = given.options.map(({ id, label, value }) => ({ id, label, value: optionValue(value) }));
  checkIds(options);
  const { text, timeout, error } = base(given);
  return question({ text, timeout, error, input_type: 'binary_choice', options }, byId('binary_choice', given.default));
};

const optionValue = (value: unknown): Json => {
  try {
    return toJson(value, 'The value of an option');
  } catch (error) {
    return refuse((error as Error).message);
  }
};

type Choice = Common & { options: readonly (Omit<Option, 'description'> & { description?: string })[] };

/** One of several options, shown as a list. `default` is the id of one of them. */
export const radio = (given: Choice & { default?: string }): Question<OneAnswer> =>
  question(choice('radio', given), byId('radio', given.default));

/** One of several options, shown as a menu. `default` is the id of one of them. */
export const dropdown = (given: Choice & { default?: string }): Question<OneAnswer> =>
  question(choice('dropdown', given), byId('dropdown', given.default));

/** Any number of several options. `default` lists ids. */
export const checkbox = (given: Choice & { default?: readonly string[] }): Question<ManyAnswer> =>
  question(choice('checkbox', given), byId('checkbox', given.default));

const choice = (kind: ChoiceKind, given: Choice): ChoicePrompt => {
  if (!Array.isArray(given.options)) refuse(`A ${kind} prompt needs a list of options.`);
  const options = given.options.map(({ id, label, value, description = '' }) => ({ id, label, value, description }));
  checkIds(options);
  const { text, timeout, error } = base(given);
  return { text, timeout, error, options, input_type: kind };
};

const byId = (kind: PromptKind, ids: string | readonly string[] | undefined): Response | undefined =>
  ids === undefined ? undefined : { kind, picks: [ids].flat().map((id) => ({ id })) };

const checkIds = (options: readonly { id: string }[]): void => {
  const seen = new Set<string>();
  for (const { id } of options) {
    if (typeof id !== 'string' || seen.has(id)) refuse(`Each option needs a unique id, got ${JSON.stringify(id)}.`);
    seen.add(id);
  }
};

const unfit = (detail: string): never => {
  throw new Failure('answer_invalid', { detail });
};

/** The answer that this response gives to this prompt. Throws `answer_invalid` with a description of valid answers. */
export const readAnswer = (prompt: Prompt, response: Response): Answer => {
  const { takes, nat, answer } = aboutPrompt(prompt.input_type);
  if (response.kind !== prompt.input_type && response.kind !== nat)
    return unfit(`The prompt asks for ${prompt.input_type}, the answer is of type ${response.kind}.`);
  const picks = takes === 'one' || takes === 'many' ? (response.picks ?? []) : [];
  if (takes === 'one' && picks.length !== 1) return unfit(`Exactly one option can be chosen, got ${picks.length}.`);
  const options = new Set(picks.map((pick) => picked(optionsOf(prompt), pick)));
  const read = answer(prompt as never, { text: response.text ?? '', options: [...options] as never });
  return typeof read === 'string' ? unfit(read) : read;
};

/** The id decides. A response without an id is matched by the value. */
const picked = (options: readonly (BinaryOption | Option)[], { id, value }: Pick): BinaryOption | Option => {
  const option = options.find((offered) =>
    id === undefined ? isDeepStrictEqual(offered.value, value) : offered.id === id,
  );
  const ids = options.map((offered) => offered.id).join(', ');
  return option ?? unfit(`The option ${id ?? JSON.stringify(value)} was not offered; offered were: ${ids || 'none'}.`);
};
