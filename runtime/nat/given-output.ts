/**
 * Tracks the output that one reader got, for readers that cannot discard output. When an interrupted step runs again,
 * its output restarts, and the reader does not get the same output twice.
 */
import { isOutput } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';

/** How to compare values that two attempts may split into pieces in different ways. */
export interface Texts {
  /** The text that a value adds to the output; undefined for a value that is compared as a whole. */
  textOf(value: unknown): string | undefined;
  /** The same value with another text. */
  withText(value: unknown, text: string): unknown;
  /** The same key for values with the same content. */
  keyOf(value: unknown): string;
}

const plainTexts: Texts = {
  textOf: (value) => (typeof value === 'string' ? value : undefined),
  withText: (_value, text) => text,
  keyOf: (value) => JSON.stringify(value),
};

/** The new values for the reader. `isChanged`: earlier output of the step is void, and only these values count. */
export interface Fresh {
  readonly values: readonly unknown[];
  readonly isChanged: boolean;
}

/** A text, or the key of another value. */
type Item = string | { readonly key: string };

interface Given {
  /** The output of the step, in all attempts. */
  values: unknown[];
  /** Output that this attempt must repeat first. */
  rest: Item[];
  /** Output that this attempt has repeated. */
  again: unknown[];
}

const NOTHING: Fresh = { values: [], isChanged: false };

export class GivenOutput {
  readonly #texts: Texts;
  /** By the call number of a step that has not ended. */
  readonly #steps = new Map<number, Given>();

  constructor(texts = plainTexts) {
    this.#texts = texts;
  }

  /** Facts arrive in order, without void ones (`voidIn`). */
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
        this.#steps.clear(); // numbers restart with the function
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

  /** The new attempt ended with less output than the earlier one. */
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

  /** Consecutive texts count as one. */
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
