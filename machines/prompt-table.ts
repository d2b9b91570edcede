/**
 * The properties of each kind of prompt. A new kind has its types in `prompts.ts`, its row here, and its function next
 * to the others in `runtime/authoring/prompts.ts`. Clients, the console, the terminal and NAT's wire read the row.
 */
import type { Answer, BinaryOption, Option, Prompt, PromptKind } from './prompts.ts';

type PromptOf<Kind extends PromptKind, P = Prompt> = P extends { input_type: infer K }
  ? Kind extends K
    ? P & { input_type: Kind }
    : never
  : never;
type AnswerOf<Kind extends PromptKind, A = Answer> = A extends { kind: infer K }
  ? Kind extends K
    ? A & { kind: Kind }
    : never
  : never;
type OptionOf<P> = P extends { options: readonly (infer O)[] } ? O : never;

/** The response of a client, independent of the wire: a text, or the selected options. */
type Given<Of> = { readonly text: string; readonly options: readonly Of[] };

/** The form of an answer: a text, an acknowledgement, one option, or any number of options. */
export type Taking = 'text' | 'acknowledgement' | 'one' | 'many';

type Row<Kind extends PromptKind> = {
  readonly takes: Taking;
  /** How the console shows options. Default: as a list. */
  readonly look?: 'buttons' | 'menu';
  /** JSON Schemas of the members that prompts of other kinds do not have. */
  readonly members: Readonly<Record<string, object>>;
  /** Members that identify a question, besides the kind and the text: a replay finds its prompt by them. */
  readonly identity: readonly (keyof PromptOf<Kind> & string)[];
  /** The kind that NAT's clients see and may answer. A kind that NAT knows is itself. */
  readonly nat: PromptKind;
  /**
   * The answer, or why the response is invalid: what was wrong, and what would fit. For kinds with one option there is
   * exactly one.
   */
  answer(prompt: PromptOf<Kind>, given: Given<OptionOf<PromptOf<Kind>>>): AnswerOf<Kind> | string;
  /** The answer as people read it. */
  words(answer: AnswerOf<Kind>): string;
};

const text = { type: 'string' };
const orNull = { type: ['string', 'null'] };
const optionsWith = (members: Readonly<Record<string, object>>) => ({
  type: 'array',
  items: { type: 'object', properties: members, required: Object.keys(members) },
});
const textOptions = { options: optionsWith({ id: text, label: text, value: text, description: text }) };

/** In NAT's order: its refusals list the kinds. */
export const PROMPTS = {
  text: {
    takes: 'text',
    members: { placeholder: orNull, required: { type: 'boolean' } },
    identity: ['placeholder'],
    nat: 'text',
    answer: ({ required }, { text }) =>
      required && text.trim() === '' ? 'An answer is required, the text is empty.' : { kind: 'text', text },
    words: ({ text }) => text,
  },
  binary_choice: {
    takes: 'one',
    look: 'buttons',
    members: { options: optionsWith({ id: text, label: text, value: {} }) },
    identity: ['options'],
    nat: 'binary_choice',
    answer: (_prompt, { options: [option] }) => ({ kind: 'binary_choice', option: option!, value: option!.value }),
    words: ({ option }) => option.label,
  },
  notification: {
    takes: 'acknowledgement',
    members: {},
    identity: [],
    nat: 'notification',
    answer: (_prompt, { text }) => ({ kind: 'notification', text }),
    words: ({ text }) => text,
  },
  radio: {
    takes: 'one',
    members: textOptions,
    identity: ['options'],
    nat: 'radio',
    answer: (_prompt, { options: [option] }) => ({ kind: 'radio', option: option!, value: option!.value }),
    words: ({ option }) => option.label,
  },
  checkbox: {
    takes: 'many',
    members: textOptions,
    identity: ['options'],
    nat: 'checkbox',
    answer: (_prompt, { options }) => ({ kind: 'checkbox', options, values: options.map(({ value }) => value) }),
    words: ({ options }) => options.map(({ label }) => label).join(', ') || 'none of them',
  },
  dropdown: {
    takes: 'one',
    look: 'menu',
    members: textOptions,
    identity: ['options'],
    nat: 'dropdown',
    answer: (_prompt, { options: [option] }) => ({ kind: 'dropdown', option: option!, value: option!.value }),
    words: ({ option }) => option.label,
  },
} as const satisfies { readonly [Kind in PromptKind]: Row<Kind> };

export const PROMPT_KINDS = Object.keys(PROMPTS) as readonly PromptKind[];

/** The row of a kind that is known at run time only. */
export const aboutPrompt = (kind: PromptKind): Row<PromptKind> => PROMPTS[kind] as never;

/** The options of a prompt: with any values, or with texts. Empty for kinds without options. */
export const optionsOf = (prompt: Prompt): readonly (BinaryOption | Option)[] =>
  'options' in prompt ? prompt.options : [];

export const wordsOfAnswer = (answer: Answer): string => aboutPrompt(answer.kind).words(answer as never);
