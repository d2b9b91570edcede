/** Outputs on the streams of a workflow: whatever it is, a client finds it under `value`. */

/** The frame of an output, in NAT's two ways of writing JSON: its own, and Python's for what it has wrapped. */
export const outputFrame = (output: unknown): string => {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) {
    return `data: ${JSON.stringify({ value: output })}\n\n`;
  }
  if ('value' in output) return `data: ${JSON.stringify(output)}\n\n`;
  return `data: {"value": ${asciiJson(contentOf(output) ?? JSON.stringify(output))}}\n\n`;
};

/** The text of a chat completion or a chunk of one; undefined for everything else. */
const contentOf = (output: object): string | undefined => {
  const { object, choices } = output as { object?: unknown; choices?: unknown };
  if (object !== 'chat.completion.chunk' && object !== 'chat.completion') return undefined;
  const choice: Choice | undefined = Array.isArray(choices) ? choices[0] : undefined;
  const content = (choice?.delta ?? choice?.message)?.content;
  return typeof content === 'string' ? content : '';
};

type Choice = { readonly delta?: { content?: unknown } | null; readonly message?: { content?: unknown } | null } | null;

const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
