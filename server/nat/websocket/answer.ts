/** Answers on a socket: texts, usually without the id of their prompt. */
import type {
  Awaitable,
  ExecutionView,
  Interaction,
  JournalEntry,
  Pick as OptionPick,
  Prompt,
  Response,
} from '../../../runtime/index.ts';
import type { InteractionMessage } from './client-messages.ts';
import { asText } from './translator.ts';

/**
 * The open prompt that an answer names by one of its ids; otherwise the oldest. Undefined if none is open, or if the
 * named prompt is closed: that answer is not for another one. `journal` returns all facts.
 */
export const pauseFor = async (
  { context: { pauses } }: ExecutionView,
  { id, thread_id, parent_id }: Pick<InteractionMessage, 'id' | 'thread_id' | 'parent_id'>,
  journal: () => Awaitable<readonly JournalEntry[]>,
): Promise<Interaction | undefined> => {
  const ids = [id, thread_id, parent_id];
  const open = pauses.filter((pause) => pause.kind === 'interaction');
  const named = open.find((pause) => ids.includes(pause.id));
  if (named !== undefined || open.length === 0) return named;
  const isClosed = (await journal()).some((entry) => entry.type === 'interaction.requested' && ids.includes(entry.id));
  return isClosed ? undefined : open[0];
};

/** The response to this prompt. Several texts select several options, which only some prompts allow. */
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
