/** What can happen next to a waiting execution: actions of people, providers and time, each with a name. */
import type { Consent, Interaction } from '../machines/facts.ts';
import { aboutPrompt, optionsOf } from '../machines/prompt-table.ts';
import type { Prompt, Response } from '../runtime/index.ts';
import type { Play } from './play.ts';

/** A text, the id of an option, or ids of several options. */
export type Given = string | readonly string[];
/** Answers by the text of the prompt, or by a function of the prompt. Undefined: see `TestOptions.answers`. */
export type Answers = Readonly<Record<string, readonly Given[]>> | ((prompt: Prompt) => readonly Given[] | undefined);

export interface Choice {
  /** The name in the name of a path. */
  readonly name: string;
  act(play: Play): unknown;
  /** Whether the choice has had its effect. */
  isDone(play: Play): boolean;
}

/** In a fixed order, so that a path is the same in each run. */
export const choicesOf = (play: Play, answers: Answers | undefined): Choice[] => {
  const { pauses } = play.execution.context;
  const awaited = pauses.filter((pause): pause is Interaction | Consent => pause.kind !== 'sleep');
  const sleep = pauses.find(({ kind }) => kind === 'sleep');
  const prompts = pauses.filter((pause): pause is Interaction => pause.kind === 'interaction');
  return [
    ...awaited.filter(isFirst).flatMap((pause) => (pause.kind === 'oauth' ? consents(pause) : replies(pause, answers))),
    ...(prompts.length > 1 ? together(prompts.map((prompt) => answersTo(prompt, answers))) : []),
    ...(sleep === undefined ? [] : [passing('time passes', sleep.dueAt!)]),
    { name: 'cancelled', act: () => play.cancel(), isDone: () => play.execution.hasEnded },
    ...(awaited.length > 0 && pauses.every(({ dueAt }) => dueAt === null) ? [ABANDONED] : []),
  ];
};

/** People cannot distinguish prompts with the same text, so one of them represents all. */
const isFirst = (pause: Interaction | Consent, index: number, all: readonly (Interaction | Consent)[]): boolean =>
  index === all.findIndex((other) => wordsOf(other) === wordsOf(pause));

const wordsOf = (pause: Interaction | Consent): string => (pause.kind === 'oauth' ? pause.provider : pause.prompt.text);

const ABANDONED: Choice = {
  name: 'abandoned',
  act: (play) => play.abandon(),
  isDone: (play) => play.execution.hasEnded,
};

const passing = (name: string, dueAt: number): Choice => ({
  name,
  act: (play) => play.passUntil(dueAt),
  isDone: () => true,
});

/**
 * All open prompts are answered at the same moment, so that one commit has all answers: in the order of the prompts,
 * and in reverse. The answers differ from prompt to prompt as far as possible.
 */
const together = (replies: readonly (readonly Choice[])[]): Choice[] => {
  const most = Math.max(...replies.map(({ length }) => length));
  return Array.from({ length: most }, (_, index) =>
    replies.flatMap((each, place) => each[(index + place) % each.length] ?? []),
  ).flatMap((chosen) => [joined(chosen), joined(chosen.toReversed())]);
};

const joined = (chosen: readonly Choice[]): Choice => ({
  name: chosen.map(({ name }) => name).join(' & '),
  act: (play) => Promise.all(chosen.filter((each) => !each.isDone(play)).map((each) => each.act(play))),
  isDone: (play) => chosen.every((each) => each.isDone(play)),
});

const replies = (asked: Interaction, answers: Answers | undefined): Choice[] => [
  ...answersTo(asked, answers),
  ...(asked.dueAt === null ? [] : [passing(`${JSON.stringify(asked.prompt.text)} not answered in time`, asked.dueAt)]),
];

const answersTo = ({ id, prompt }: Interaction, answers: Answers | undefined): Choice[] =>
  givenFor(prompt, answers).map((given) => ({
    name: `${JSON.stringify(prompt.text)} ${typeof given === 'string' ? given : `[${given.join(', ')}]`}`,
    act: (play: Play) => play.answer(id, responseOf(prompt, given)),
    isDone: (play: Play) => !play.isOpen(id),
  }));

/** One consent may be for several calls. Its state is that of the first call. */
const consents = ({ id, provider, authUrl, dueAt }: Consent): Choice[] => {
  const state = new URL(authUrl).searchParams.get('state')!;
  const isDone = (play: Play): boolean => !play.isOpen(id);
  return [
    { name: `consent ${provider} granted`, act: (play) => play.consent({ state, code: 'code' }), isDone },
    { name: `consent ${provider} refused`, act: (play) => play.consent({ state, error: 'access_denied' }), isDone },
    passing(`consent ${provider} too late`, dueAt!),
  ];
};

const givenFor = (prompt: Prompt, answers: Answers | undefined): readonly Given[] => {
  const given = typeof answers === 'function' ? answers(prompt) : answers?.[prompt.text];
  if (given !== undefined) return given;
  const ids = optionsOf(prompt).map(({ id }) => id);
  switch (aboutPrompt(prompt.input_type).takes) {
    case 'one':
      return ids;
    case 'many':
      return [[], ...ids.map((id) => [id]), ...(ids.length > 1 ? [ids] : [])];
    case 'text':
    case 'acknowledgement':
      throw new Error(
        `The workflow asks ${JSON.stringify(prompt.text)}, and the test does not say what people may answer: ` +
          `add answers: { ${JSON.stringify(prompt.text)}: ['...'] }.`,
      );
  }
};

const responseOf = ({ input_type: kind }: Prompt, given: Given): Response =>
  aboutPrompt(kind).takes === 'text'
    ? { kind, text: String(given) }
    : { kind, picks: [given].flat().map((id) => ({ id })) };
