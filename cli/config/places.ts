/** The places of a file's entries: in the original text, and in the YAML text after variables were replaced. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, visit, type YAMLMap } from 'yaml';
import type { Expanded, Insertion } from './interpolate.ts';
import type { Path } from './setting.ts';

export interface Found {
  /** ` (fermata.yaml:4)`: of the entry, or of the last existing name on its path. Empty if there is none. */
  readonly place: () => string;
  /** Steps of the path whose names come from a variable. */
  readonly inserted: ReadonlySet<number>;
  /** The problem of the variables in the value. */
  readonly fault?: string | undefined;
  /** The original text of the value, if it has variables. */
  readonly written?: string | undefined;
}

type Entries = Map<string, { readonly name: Node; readonly value: Node | null }>;

export class Places {
  readonly #name: string;
  readonly #original: string;
  readonly #expanded: Expanded;
  readonly #document: Document;
  readonly #entries = new WeakMap<YAMLMap, Entries>();

  constructor(name: string, original: string, expanded: Expanded, document: Document) {
    this.#name = name;
    this.#original = original;
    this.#expanded = expanded;
    this.#document = document;
  }

  /** `fermata.yaml:4:7`, for a place in the YAML text. */
  placeAt(offset: number): string {
    const origin = this.#originOf(offset);
    return `${this.#name}:${this.#lineOf(offset)}:${origin - this.#original.slice(0, origin).lastIndexOf('\n')}`;
  }

  find(path: Path): Found {
    const inserted = new Set<number>();
    let name: Node | undefined;
    let node = this.#resolved(this.#document.contents);
    let start: number | undefined = 0;
    for (const [depth, step] of path.entries()) {
      if (isSeq(node)) {
        node = this.#resolved(node.items[Number(step)]);
        start = node?.range?.[0];
      } else {
        const entry = isMap(node) ? this.#entriesOf(node).get(String(step)) : undefined;
        if (entry !== undefined && this.#insertionsIn(entry.name).length > 0) inserted.add(depth);
        [name, node, start] = [entry?.name ?? name, entry?.value ?? null, entry?.name.range?.[1]];
      }
      if (start === undefined) break; // nothing is there
    }
    const insertions = start === undefined ? [] : this.#insertionsOf(start, node);
    const [first] = insertions;
    const written = first && this.#original.slice(first.from, first.to);
    const at = name?.range?.[0];
    const place = (): string => (at === undefined ? '' : ` (${this.#name}:${this.#lineOf(at)})`);
    return { place, inserted, written, fault: this.#faultOf(insertions, node) };
  }

  /** Plain scalars with variables are texts, whatever YAML makes of their values: a secret may be digits. */
  keepTexts(): void {
    visit(this.#document, {
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

  /** In a value, and between the start, which is the end of its name, and it. */
  #insertionsOf(start: number, node: Node | null): readonly Insertion[] {
    const [from = start, to = start] = node?.range ?? [];
    // Without a value, the rest of the line is the cause.
    const isEmpty = node === null || (isScalar(node) && from === to);
    const end = isEmpty ? start + this.#expanded.text.slice(start).search(/[,}\]\n]|$/) : to;
    return this.#touching(Math.min(start, from), end);
  }

  #insertionsIn({ range }: Node): readonly Insertion[] {
    const [start = 0, end = 0] = range ?? [];
    return this.#touching(start + 1, end - 1);
  }

  /** They are in order, and may be many. */
  #touching(start: number, end: number): readonly Insertion[] {
    const { insertions } = this.#expanded;
    const first = leastIn(insertions.length, (at) => insertions[at]!.end >= start);
    const last = leastIn(insertions.length, (at) => insertions[at]!.start > end);
    return insertions.slice(first, last);
  }

  /** By name, with those that a merge key (`<<`) adds. */
  #entriesOf(map: YAMLMap): Entries {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    const entries: Entries = new Map();
    this.#entries.set(map, entries); // before it is complete, because a map may merge itself
    const merged = map.items.filter(({ key }) => isMergeKey(key)).map(({ value }) => this.#resolved(value));
    for (const source of merged.flatMap((one) =>
      isSeq(one) ? one.items.map((item) => this.#resolved(item)) : [one],
    )) {
      if (isMap(source)) for (const [name, entry] of this.#entriesOf(source)) entries.set(name, entry);
    }
    for (const { key, value } of map.items) {
      if (isScalar(key)) entries.set(String(key.value), { name: key, value: this.#resolved(value) });
    }
    return entries;
  }

  #resolved(node: unknown): Node | null {
    return ((isAlias(node) ? node.resolve(this.#document) : node) as Node | undefined) ?? null;
  }

  #lineOf(offset: number): number {
    return this.#original.slice(0, this.#originOf(offset)).split('\n').length;
  }

  #originOf(offset: number): number {
    const { insertions } = this.#expanded;
    const before = insertions[leastIn(insertions.length, (at) => insertions[at]!.start > offset) - 1];
    if (before === undefined) return offset;
    return offset < before.end ? before.from : offset + before.to - before.end;
  }
}

const isMergeKey = (key: unknown): boolean =>
  isScalar(key) && (key.value === '<<' || (typeof key.value === 'symbol' && key.value.description === '<<'));

/** The least number below the limit for which a condition is met, if it is met for all numbers from there; else the limit. */
const leastIn = (limit: number, isMet: (at: number) => boolean): number => {
  let [low, high] = [0, limit];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isMet(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};
