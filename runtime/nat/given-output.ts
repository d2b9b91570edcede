/**
 * What one reader has been given of a run's output, for readers from whom nothing can be taken back. A step that was cut off
 * runs again, and its output begins anew: what it says once more is not given once more.
 */
import { isOutput } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';

/** How values are compared that one attempt may cut into pieces in another way than the attempt before. */
export interface Texts {
  /** The text that a value adds to the output; undefined for a value that is compared as a whole. */
  textOf(value: unknown): string | undefined;
  /** The same value with another text. */
  withText(value: unknown, text: string): unknown;
  /** What two values have in common that say the same. */
  keyOf(value: unknown): string;
}

const plainTexts: Texts = {
  textOf: (value) => (typeof value === 'string' ? value : undefined),
  withText: (_value, text) => text,
  keyOf: (value) => JSON.stringify(value),
};

/** What is new to the reader. `isChanged`: what it was given of the step is void, and the values are all that counts of it. */
export interface Fresh {
  readonly values: readonly unknown[];
  readonly isChanged: boolean;
}

/** A text, or the key of another value. */
type Item = string | { readonly key: string };

interface Given {
  /** Of the step, in all attempts. */
  values: unknown[];
  /** What of it this attempt has still to say again. */
  rest: Item[];
  /** What this attempt has said again. */
  again: unknown[];
}

const NOTHING: Fresh = { values: [], isChanged: false };

export class GivenOutput {
  readonly #texts: Texts;
  /** By number of the call of a step that has not ended. */
  readonly #steps = new Map<number, Given>();

  constructor(texts = plainTexts) {
    this.#texts = texts;
  }

  /** Facts come in order, and none that is void by then (`voidIn`). */
  hear(entry: JournalEntry): Fresh {
    if (!isOutput(entry)) return NOTHING;
    switch (entry.type) {
      case 'output.emitted':
        return entry.inStep === undefined
          ? { values: [entry.value], isChanged: false }
          : this.#emitted(entry.inStep, entry.value);
      case 'output.restarted': {
        const given = this.#steps.get(entry.step);
        if (given !== undefined) {
          given.rest = this.#itemsOf(given.values);
          given.again = [];
        }
        return NOTHING;
      }
      case 'step.completed':
      case 'step.failed':
        return this.#ended(entry.call);
      case 'execution.continued':
        this.#steps.clear(); // numbers begin anew with the function
        return NOTHING;
    }
  }

  #emitted(step: number, value: unknown): Fresh {
    const given = this.#steps.get(step) ?? { values: [], rest: [], again: [] };
    this.#steps.set(step, given);
    const fresh = given.rest.length === 0 ? { values: [value], isChanged: false } : this.#repeated(given, value);
    given.values.push(...fresh.values);
    return fresh;
  }

  #repeated(given: Given, value: unknown): Fresh {
    const { rest } = given;
    const [head] = rest;
    const text = this.#texts.textOf(value);
    if (text === undefined) {
      if (typeof head === 'string' || head?.key !== this.#texts.keyOf(value)) return this.#changed(given, value);
      rest.shift();
    } else if (typeof head === 'string' && head.startsWith(text)) {
      if (head.length > text.length) rest[0] = head.slice(text.length);
      else rest.shift();
    } else if (typeof head === 'string' && text.startsWith(head) && rest.length === 1) {
      rest.shift();
      return { values: [this.#texts.withText(value, text.slice(head.length))], isChanged: false };
    } else if (text !== '') return this.#changed(given, value);
    given.again.push(value);
    return NOTHING;
  }

  /** The step has said less than before. */
  #ended(step: number): Fresh {
    const given = this.#steps.get(step);
    this.#steps.delete(step);
    return given === undefined || given.rest.length === 0 ? NOTHING : this.#changed(given);
  }

  #changed(given: Given, ...more: unknown[]): Fresh {
    const values = [...given.again, ...more];
    given.values = [];
    given.rest = [];
    given.again = [];
    return { values, isChanged: true };
  }

  /** Texts that follow each other are one. */
  #itemsOf(values: readonly unknown[]): Item[] {
    const items: Item[] = [];
    for (const value of values) {
      const text = this.#texts.textOf(value);
      const last = items.at(-1);
      if (text === undefined) items.push({ key: this.#texts.keyOf(value) });
      else if (typeof last === 'string') items[items.length - 1] = last + text;
      else if (text !== '') items.push(text);
    }
    return items;
  }
}
