/** The places of a file's entries: in the original text, and in the YAML text after variables were replaced. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Expanded, Insertion } from './interpolate.ts';

export type Path = readonly (string | number)[];

type Entry = {
  /** Place of its name, or of the last existing name on its path; undefined if there is none. */
  readonly at: number | undefined;
  /** Names on the path that come from a variable. */
  readonly inserted: ReadonlySet<number>;
  /** From the end of the name to the end of the value; undefined if the entry is missing. */
  readonly start: number | undefined;
  readonly node: Node | null;
};

export class ConfigSource {
  readonly #name: string;
  readonly #original: string;
  readonly #expanded: Expanded;
  document!: Document;

  constructor(name: string, original: string, expanded: Expanded) {
    this.#name = name;
    this.#original = original;
    this.#expanded = expanded;
  }

  /** `fermata.yaml:4:7`, for a place in the YAML text. */
  placeAt(offset: number): string {
    const before = this.#original.slice(0, this.#originOf(offset));
    const start = before.lastIndexOf('\n') + 1;
    return `${this.#name}:${lineOf(before)}:${before.length - start + 1}`;
  }

  /** ` (fermata.yaml:4)`; empty if no part of the path exists. */
  place(path: Path): string {
    const { at } = this.#find(path);
    return at === undefined ? '' : ` (${this.#name}:${lineOf(this.#original.slice(0, this.#originOf(at)))})`;
  }

  /** Steps of the path whose names come from a variable. */
  insertedSteps(path: Path): ReadonlySet<number> {
    return this.#find(path).inserted;
  }

  /** The problem of the variables in a value; undefined without a problem or without variables. */
  fault(path: Path): string | undefined {
    const { start, node } = this.#find(path);
    const insertions = this.#insertionsOf(start, node);
    const problem = insertions.find((insertion) => insertion.problem !== undefined)?.problem;
    if (problem !== undefined || !isPlain(node)) return problem;
    const end = node.range?.[1] ?? 0;
    const isCut = insertions.some((one) => one.end > end && /^[ \t]+#/.test(this.#expanded.text.slice(end, one.end)));
    return isCut ? 'a part of its variable would be a comment of YAML; put the reference in quotes' : undefined;
  }

  /** The plain text of a value with variables, if YAML parses it as another type; undefined otherwise. */
  textAt(path: Path): string | undefined {
    const { start, node } = this.#find(path);
    if (!isPlain(node) || this.#insertionsOf(start, node).length === 0) return undefined;
    return this.#expanded.text.slice(node.range?.[0], node.range?.[1]);
  }

  /** The original text of the value, if it has variables. */
  writtenAt(path: Path): string | undefined {
    const { start, node } = this.#find(path);
    const [first] = this.#insertionsOf(start, node);
    if (first === undefined) return undefined;
    return this.#original.slice(first.from, first.to);
  }

  #insertionsOf(start: number | undefined, node: Node | null): readonly Insertion[] {
    if (start === undefined) return [];
    const { text, insertions } = this.#expanded;
    const lineEnd = text.indexOf('\n', start);
    // Without a value, the rest of the line is the cause.
    const isEmpty = node === null || (isScalar(node) && node.range?.[0] === node.range?.[1]);
    const end = isEmpty ? endOfEmpty(text, start, lineEnd) : (node.range?.[1] ?? start);
    return insertions.filter((one) => one.start <= end && one.end >= start);
  }

  #find(path: Path): Entry {
    const inserted = new Set<number>();
    let at: number | undefined;
    let start: number | undefined;
    let node: unknown = this.document.contents;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.document);
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
        if (pair === undefined || !isScalar(pair.key)) return { at, inserted, start: undefined, node: null };
        const [from = 0, to = 0] = pair.key.range ?? [];
        at = from;
        start = to;
        node = pair.value;
        if (this.#expanded.insertions.some((one) => one.start < to && one.end > from)) inserted.add(depth);
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        start = (node as Node | undefined)?.range?.[0];
      } else {
        return { at, inserted, start: undefined, node: null };
      }
    }
    if (isAlias(node)) node = node.resolve(this.document);
    return {
      at,
      inserted,
      start: Math.min(start ?? 0, (node as Node | null)?.range?.[0] ?? Infinity),
      node: (node as Node) ?? null,
    };
  }

  #originOf(offset: number): number {
    let shift = 0;
    for (const { start, end, from, to } of this.#expanded.insertions) {
      if (offset < start) break;
      if (offset < end) return from;
      shift = to - end;
    }
    return offset + shift;
  }
}

const isPlain = (node: Node | null): node is Node => isScalar(node) && node.type === 'PLAIN';

const endOfEmpty = (text: string, start: number, lineEnd: number): number => {
  const line = text.slice(start, lineEnd === -1 ? undefined : lineEnd);
  const end = line.search(/[,}\]]/);
  return start + (end === -1 ? line.length : end);
};

const lineOf = (before: string): number => before.split('\n').length;
