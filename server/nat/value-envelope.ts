/** Outputs on the streams of a workflow, always under `value`. */
import { saidIn } from '../wire/completion.ts';

/** The frame of an output, in NAT's two forms of JSON: its own, and Python's for wrapped values. */
export const outputFrame = (output: unknown): string => {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) {
    return `data: ${JSON.stringify({ value: output })}\n\n`;
  }
  if ('value' in output) return `data: ${JSON.stringify(output)}\n\n`;
  return `data: {"value": ${asciiJson(textOf(output))}}\n\n`;
};

/** The text of a chat; for other values, their JSON. */
const textOf = (output: object): string => {
  const said = saidIn(output);
  return said === undefined ? JSON.stringify(output) : (said ?? '');
};

const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
