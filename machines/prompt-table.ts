/**
 * What holds for every prompt of a kind. A new kind has its types in `prompts.ts`, its row here, and its maker beside those in
 * `runtime/authoring/prompts.ts`; clients, the console, the terminal and NAT's wire read the row.
 */
import type { Answer, BinaryOption, Option, Prompt, PromptKind } from './prompts.ts';

export type PromptOf<Kind extends PromptKind, P = Prompt> = P extends { input_type: infer K }
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

/** What a client sent, freed of its wire: a text, or the options that were picked. */
type Given<Of> = { readonly text: string; readonly options: readonly Of[] };

/** What is asked for: a text, a sign that the prompt was seen, one option, or any number of options. */
export type Taking = 'text' | 'acknowledgement' | 'one' | 'many';

type Row<Kind extends PromptKind> = {
  readonly takes: Taking;
  /** How the console shows options. Default: as a list. */
  readonly look?: 'buttons' | 'menu';
  /** JSON Schemas of the members that prompts of other kinds do not have. */
  readonly members: Readonly<Record<string, object>>;
  /** Members that make two prompts the same question, beside the kind and the text: by them a run that is replayed finds its prompt. */
  readonly identity: readonly (keyof PromptOf<Kind> & string)[];
  /** NAT's clients see a prompt of this kind, and may answer as to one. A kind that they know is itself. */
  readonly nat: PromptKind;
  /** The answer, or why it is none: what was wrong, and what would have fitted. Of kinds that take one option there is exactly one. */
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

/** The row of any kind, where the kind is known only when the code runs. */
export const aboutPrompt = (kind: PromptKind): Row<PromptKind> => PROMPTS[kind] as never;

/** What a person can choose from: options of any value, or of texts. Empty for kinds that are answered otherwise. */
export const optionsOf = (prompt: Prompt): readonly (BinaryOption | Option)[] =>
  'options' in prompt ? prompt.options : [];

export const wordsOfAnswer = (answer: Answer): string => aboutPrompt(answer.kind).words(answer as never);
