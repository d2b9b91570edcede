/** What an output or a result looks like as text: as much of it as a chat shows. */

/** `text` is null for a chunk of a chat that has none, such as a call of a tool. */
export type Output = { readonly id: string | undefined; readonly text: string | null };

type Choice = { readonly delta?: { content?: unknown } | null; readonly message?: { content?: unknown } | null } | null;

/** Undefined where there is nothing to show: the last chunk of a chat may only say what was used. */
export const outputOf = (value: unknown): Output | undefined => {
  if (typeof value !== 'object' || value === null) return { id: undefined, text: String(value) };
  const { object, id, choices } = value as { object?: unknown; id?: unknown; choices?: unknown };
  if (typeof object === 'string' && object.startsWith('chat.completion') && Array.isArray(choices)) {
    const choice: Choice | undefined = choices[0];
    if (choice === undefined) return undefined;
    const content = (choice?.message ?? choice?.delta)?.content;
    return { id: typeof id === 'string' ? id : undefined, text: typeof content === 'string' ? content : null };
  }
  const names = Object.keys(value);
  if (names.length === 1 && names[0] === 'value') return { id: undefined, text: wordsOf(Reflect.get(value, 'value')) };
  return { id: undefined, text: JSON.stringify(value) };
};

const wordsOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
