/** An output or a result as text, as far as a chat shows it. */
import { saidIn } from '../../wire/completion.ts';

/** `text` is null for a chunk of a chat without text, such as a tool call. */
export type Output = { readonly id: string | undefined; readonly text: string | null };

/** Undefined if there is nothing to show: the last chunk of a chat may contain only the usage. */
export const outputOf = (value: unknown): Output | undefined => {
  if (typeof value !== 'object' || value === null) return { id: undefined, text: String(value) };
  const text = saidIn(value);
  if (text !== undefined) {
    const { id, choices } = value as { id?: unknown; choices: readonly unknown[] };
    return choices.length === 0 ? undefined : { id: typeof id === 'string' ? id : undefined, text };
  }
  const names = Object.keys(value);
  if (names.length === 1 && names[0] === 'value') return { id: undefined, text: wordsOf(Reflect.get(value, 'value')) };
  return { id: undefined, text: JSON.stringify(value) };
};

const wordsOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
