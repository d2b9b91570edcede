/** The places of a file's entries: in the original text, and in the YAML text after variables were replaced. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, visit } from 'yaml';
import type { Expanded, Insertion } from './interpolate.ts';
import type { Path } from './setting.ts';

export interface Found {
  /** ` (fermata.yaml:4)`: of the entry, or of the last existing name on its path. Empty if there is none. */
  readonly place: string;
  /** Steps of the path whose names come from a variable. */
  readonly inserted: ReadonlySet<number>;
  /** The problem of the variables in the value. */
  readonly fault?: string | undefined;
  /** The original text of the value, if it has variables. */
  readonly written?: string | undefined;
}

type Entry = {
  readonly inserted: ReadonlySet<number>;
  /** Place of the name. */
  readonly at?: number | undefined;
  /** The end of the name. */
  readonly start?: number | undefined;
  readonly node?: Node | null;
};

export class ConfigSource {
  readonly #name: string;
  readonly #original: string;
  readonly #expanded: Expanded;

  constructor(name: string, original: string, expanded: Expanded) {
    this.#name = name;
    this.#original = original;
    this.#expanded = expanded;
  }

  /** `fermata.yaml:4:7`, for a place in the YAML text. */
  placeAt(offset: number): string {
    const before = this.#original.slice(0, this.#originOf(offset));
    return `${this.#name}:${lineOf(before)}:${before.length - before.lastIndexOf('\n')}`;
  }

  find(document: Document, path: Path): Found {
    const { inserted, at, start, node = null } = entryAt(document, path, (key) => this.#insertionsIn(key).length > 0);
    const place = at === undefined ? '' : ` (${this.#name}:${lineOf(this.#original.slice(0, this.#originOf(at)))})`;
    if (start === undefined) return { place, inserted };
    const insertions = this.#insertionsOf(start, node);
    const [first] = insertions;
    const written = first && this.#original.slice(first.from, first.to);
    return { place, inserted, written, fault: this.#faultOf(insertions, node) };
  }

  /** Plain scalars with variables are texts, whatever YAML makes of their values: a secret may be digits. */
  keepTexts(document: Document): void {
    visit(document, {
      Scalar: (key, node) => {
        const [start = 0, end = 0] = node.range ?? [];
        if (key === 'key' || node.type !== 'PLAIN' || start === end || this.#insertionsIn(node).length === 0) return;
        if (typeof node.value !== 'string') node.value = this.#expanded.text.slice(start, end);
      },
    });
  }

  #faultOf(insertions: readonly Insertion[], node: Node | null): string | undefined {
    const problem = insertions.find((insertion) => insertion.problem !== undefined)?.problem;
    if (problem !== undefined || !isScalar(node) || node.type !== 'PLAIN') return problem;
    const end = node.range?.[1] ?? 0;
    const isCut = insertions.some((one) => one.end > end && /^[ \t]+#/.test(this.#expanded.text.slice(end, one.end)));
    return isCut ? 'a part of its variable would be a comment of YAML; put the reference in quotes' : undefined;
  }

  #insertionsIn({ range }: Pick<Node, 'range'>): readonly Insertion[] {
    const [start = 0, end = 0] = range ?? [];
    return this.#expanded.insertions.filter((one) => one.start < end && one.end > start);
  }

  #insertionsOf(start: number, node: Node | null): readonly Insertion[] {
    const { text, insertions } = this.#expanded;
    // Without a value, the rest of the line is the cause.
    const isEmpty = node === null || (isScalar(node) && node.range?.[0] === node.range?.[1]);
    const end = isEmpty ? start + (/[,}\]\n]|$/.exec(text.slice(start))?.index ?? 0) : (node.range?.[1] ?? start);
    return insertions.filter((one) => one.start <= end && one.end >= start);
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

const entryAt = (document: Document, path: Path, isInserted: (key: Node) => boolean): Entry => {
  const inserted = new Set<number>();
  let at: number | undefined;
  let start = 0;
  let node = resolved(document, document.contents);
  for (const [depth, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined || !isScalar(pair.key)) return { at, inserted };
      [at = 0, start = 0] = pair.key.range ?? [];
      if (isInserted(pair.key)) inserted.add(depth);
      node = resolved(document, pair.value);
    } else if (isSeq(node) && typeof step === 'number') {
      node = resolved(document, node.items[step]);
      start = node?.range?.[0] ?? start;
    } else return { at, inserted };
  }
  return { at, inserted, node, start: Math.min(start, node?.range?.[0] ?? start) };
};

const resolved = (document: Document, node: unknown): Node | null =>
  ((isAlias(node) ? node.resolve(document) : node) as Node | undefined) ?? null;

const lineOf = (before: string): number => before.split('\n').length;
