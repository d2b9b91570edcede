/** Outputs on the streams of a workflow: whatever it is, a client finds it under `value`. */
import { saidIn } from '../wire/completion.ts';

/** The frame of an output, in NAT's two ways of writing JSON: its own, and Python's for what it has wrapped. */
export const outputFrame = (output: unknown): string => {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) {
    return `data: ${JSON.stringify({ value: output })}\n\n`;
  }
  if ('value' in output) return `data: ${JSON.stringify(output)}\n\n`;
  return `data: {"value": ${asciiJson(textOf(output))}}\n\n`;
};

/** Of a chat, what it says; of everything else, its JSON. */
const textOf = (output: object): string => {
  const said = saidIn(output);
  return said === undefined ? JSON.stringify(output) : (said ?? '');
};

const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
