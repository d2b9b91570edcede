/** Intermediate steps for people, as markdown: on all streams except `/full`. */
import type { TraceStep } from '../../runtime/index.ts';
import type { StepAdaptorOptions } from './options.ts';
import { payloadOf, type ShownStep, type Steps } from './steps.ts';

/** The input of an open step, which is repeated in its frames. */
type Open = { readonly inputBlock: string; text: string; shown: number };

/** Maximum number of open steps; the oldest are dropped. */
const MAX_OPEN = 1_000;

/**
 * A token is shown with all the text before it, because NAT's clients replace the shown text. Sent with every token,
 * this would be quadratic in the text. So a frame is left out until the text has grown by this share.
 */
const GROWTH = 1 / 16;

/** For one reader: it remembers the input of each step. */
export class AdaptedSteps implements Steps {
  readonly #options: StepAdaptorOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: StepAdaptorOptions) {
    this.#options = options;
  }

  show(step: TraceStep, at: number): ShownStep | undefined {
    if (this.#options.mode === 'off') return undefined;
    const underscore = step.event.indexOf('_');
    const category = step.event.slice(0, underscore);
    switch (category) {
      case 'LLM':
        return this.#llm(step, step.event.slice(underscore + 1));
      case 'TOOL':
        return this.#tool(step, step.event.slice(underscore + 1));
      case 'FUNCTION':
        return this.#shows(step.event) ? shownFunction(step) : undefined;
      case 'CUSTOM':
        return this.#shows(step.event) ? markdown(step, step.event, fenced(payloadOf(step, at))) : undefined;
      default:
        return undefined;
    }
  }

  #shows(event: string): boolean {
    const { mode, customEventTypes } = this.#options;
    return mode === 'custom' ? customEventTypes.includes(event) : DEFAULT_EVENTS.test(event);
  }

  #llm(step: TraceStep, phase: string): ShownStep | undefined {
    const open = this.#openOf(step, phase);
    if (open === undefined) return undefined;
    if (phase === 'NEW_TOKEN') open.text += step.chunk ?? '';
    if (!this.#shows(step.event)) return undefined;
    if (phase === 'START') return markdown(step, step.name, open.inputBlock);
    const text = phase === 'END' ? textOf(step.output) : open.text;
    if (phase !== 'END' && text.length < open.shown * (1 + GROWTH)) return undefined;
    open.shown = text.length;
    return markdown(step, step.name, `${open.inputBlock}\n\n**Output:**\n${escaped(text)}`);
  }

  #tool(step: TraceStep, phase: string): ShownStep | undefined {
    const open = this.#openOf(step, phase);
    if (open === undefined || !this.#shows(step.event)) return undefined;
    const output = phase === 'END' ? `\n\n${block('Output', step.output)}` : '';
    return markdown(step, `Tool: ${step.name}`, open.inputBlock + output);
  }

  /** The input of a step of a model or a tool; undefined if its beginning was not seen. */
  #openOf({ id, input }: TraceStep, phase: string): Open | undefined {
    if (phase === 'START') {
      if (this.#open.size >= MAX_OPEN) this.#open.delete(this.#open.keys().next().value ?? '');
      this.#open.set(id, { inputBlock: block('Input', input), text: '', shown: 0 });
    }
    const open = this.#open.get(id);
    if (phase === 'END') this.#open.delete(id);
    return open;
  }
}

const DEFAULT_EVENTS = /^(LLM|TOOL|FUNCTION)_/;

/** The text follows the fence directly: NAT's clients require this form. */
const shownFunction = (step: TraceStep): ShownStep => {
  const input = block('Function Input', step.input);
  return step.event === 'FUNCTION_END'
    ? markdown(step, `Function Complete: ${step.name}`, input + block('Function Output', step.output))
    : markdown(step, `Function Start: ${step.name}`, input);
};

const markdown = ({ id, functionId }: TraceStep, name: string, payload: string): ShownStep => {
  return { id, parent_id: functionId, type: 'markdown', name, payload };
};

const block = (title: string, value: unknown): string => `**${title}:**\n${fenced(textOf(value))}`;

const fenced = (text: string): string => `\`\`\`${isJson(text) ? 'json' : 'python'}\n${escaped(text)}\n\`\`\``;

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? 'None' : JSON.stringify(value);

/** Python's text forms of simple values count as JSON too. */
const isJson = (text: string): boolean => {
  try {
    JSON.parse(text.replaceAll("'", '"'));
    return true;
  } catch {
    return false;
  }
};

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (special) => ESCAPES[special] ?? special);
