/** What may happen to an execution that waits: what people, providers and time can do about it, each by a name. */
import type { Consent, Interaction } from '../machines/facts.ts';
import type { Prompt, Response } from '../runtime/index.ts';
import type { Play } from './play.ts';

/** A text, or the id of an option, or ids of several options. */
export type Given = string | readonly string[];
/** What people answer, by the text of the prompt, or for a prompt as it is; undefined: see `TestOptions.answers`. */
export type Answers = Readonly<Record<string, readonly Given[]>> | ((prompt: Prompt) => readonly Given[] | undefined);

export interface Choice {
  /** As it stands in the name of a path. */
  readonly name: string;
  act(play: Play): unknown;
}

/** In a fixed order, so that a path is the same each time. */
export const choicesOf = (play: Play, answers: Answers | undefined): Choice[] => {
  const { pauses } = play.execution.context;
  const awaited = pauses.filter((pause): pause is Interaction | Consent => pause.kind !== 'sleep');
  const sleep = pauses.find(({ kind }) => kind === 'sleep');
  return [
    ...awaited.filter(isFirst).flatMap((pause) => (pause.kind === 'oauth' ? consents(pause) : replies(pause, answers))),
    ...(sleep === undefined ? [] : [{ name: 'time passes', act: () => play.passUntil(sleep.dueAt!) }]),
    { name: 'cancelled', act: () => play.cancel() },
    ...(awaited.length > 0 && pauses.every(({ dueAt }) => dueAt === null) ? [ABANDONED] : []),
  ];
};

/** Of several that say the same, people cannot tell one from the other. */
const isFirst = (pause: Interaction | Consent, index: number, all: readonly (Interaction | Consent)[]): boolean =>
  index === all.findIndex((other) => wordsOf(other) === wordsOf(pause));

const wordsOf = (pause: Interaction | Consent): string => (pause.kind === 'oauth' ? pause.provider : pause.prompt.text);

const ABANDONED: Choice = { name: 'abandoned', act: (play) => play.abandon() };

const replies = ({ id, prompt, dueAt }: Interaction, answers: Answers | undefined): Choice[] => [
  ...givenFor(prompt, answers).map((given) => ({
    name: `${JSON.stringify(prompt.text)} ${typeof given === 'string' ? given : `[${given.join(', ')}]`}`,
    act: (play: Play) => play.answer(id, responseOf(prompt, given)),
  })),
  ...(dueAt === null
    ? []
    : [{ name: `${JSON.stringify(prompt.text)} nobody answers`, act: (play: Play) => play.passUntil(dueAt) }]),
];

const consents = ({ id, provider, dueAt }: Consent): Choice[] => [
  { name: `consent ${provider} granted`, act: (play) => play.consent({ state: id, code: 'code' }) },
  { name: `consent ${provider} refused`, act: (play) => play.consent({ state: id, error: 'access_denied' }) },
  { name: `consent ${provider} too late`, act: (play) => play.passUntil(dueAt!) },
];

const givenFor = (prompt: Prompt, answers: Answers | undefined): readonly Given[] => {
  const given = typeof answers === 'function' ? answers(prompt) : answers?.[prompt.text];
  if (given !== undefined) return given;
  switch (prompt.input_type) {
    case 'binary_choice':
    case 'radio':
    case 'dropdown':
      return prompt.options.map(({ id }) => id);
    case 'checkbox': {
      const ids = prompt.options.map(({ id }) => id);
      return [[], ...ids.map((id) => [id]), ...(ids.length > 1 ? [ids] : [])];
    }
    default:
      throw new Error(
        `The workflow asks ${JSON.stringify(prompt.text)}, and nobody knows what people may say to that: ` +
          `add answers: { ${JSON.stringify(prompt.text)}: ['...'] }.`,
      );
  }
};

const responseOf = ({ input_type: kind }: Prompt, given: Given): Response =>
  kind === 'text' ? { kind, text: String(given) } : { kind, picks: [given].flat().map((id) => ({ id })) };
