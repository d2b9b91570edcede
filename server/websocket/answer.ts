/** Answers come as text, and mostly without saying to what. */
import type { ExecutionView, Interaction, Pick as OptionPick, Prompt, Response } from '../../runtime/index.ts';
import type { InteractionMessage } from './protocol.ts';
import { asText } from './translator.ts';

/** The open prompt that an answer names by one of its ids; else the oldest. */
export const pauseFor = (
  { context: { pauses } }: ExecutionView,
  { id, thread_id, parent_id }: Pick<InteractionMessage, 'id' | 'thread_id' | 'parent_id'>,
): Interaction | undefined => {
  const open = pauses.filter((pause) => pause.kind === 'interaction');
  return open.find((pause) => [id, thread_id, parent_id].includes(pause.id)) ?? open[0];
};

/** What the texts of an answer say to this prompt: several are several options, which only some prompts let pass. */
export const answerTo = (prompt: Prompt, texts: readonly string[]): Response => {
  const kind = prompt.input_type;
  if (!('options' in prompt)) return { kind, text: texts[0] ?? '' };
  return { kind, picks: texts.map((text) => pickOf(prompt.options, text)) };
};

/** An option is named by its value as clients see it, or else by its id. */
const pickOf = (options: readonly { readonly id: string; readonly value: unknown }[], text: string): OptionPick => {
  const named = options.find(({ value }) => asText(value) === text) ?? options.find(({ id }) => id === text);
  return named === undefined ? { value: text } : { id: named.id };
};
