/**
 * The YAML file. What is wrong with it is said in our own words, by line and column: the parser quotes, and a quotation may
 * be a secret. Size, depth and aliases are bounded.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap as isMapNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import { isMap } from './config-kinds.ts';

export type Path = readonly (string | number)[];

export interface ConfigFile {
  readonly root: Readonly<Record<string, unknown>>;
  /** Where the entry stands, for the end of a message: ` (fermata.yaml:4)`; empty if nobody knows. */
  place(path: Path): string;
}

/** What keeps a file from being read at all: each a line, with its place. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export const noFile: ConfigFile = { root: {}, place: () => '' };

const maxBytes = 1024 * 1024;
/** Of a YAML file, the first few; the others are often consequences. */
const maxProblems = 5;
const maxAliases = 1_000;
const maxDepth = 100;

/** Throws UnreadableFile. */
export const readConfigFile = (path: string): ConfigFile => parseConfigFile(readText(path), path);

/** `name` is for messages. Throws UnreadableFile. */
export const parseConfigFile = (text: string, name: string): ConfigFile => {
  if (Buffer.byteLength(text) > maxBytes) throw tooLarge(name);
  if (isTooDeep(text)) throw new UnreadableFile([`${name}: nested more than ${maxDepth} levels deep`]);
  const lines = new LineCounter();
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' });
  const faults = [
    ...document.errors.map(({ code, pos }) => ({ offset: pos[0], what: sentences[code] ?? 'this is not YAML' })),
    ...lostAliases(document),
  ];
  if (faults.length > 0) {
    throw new UnreadableFile(faults.slice(0, maxProblems).map(({ offset, what }) => `${placeAt(offset)}: ${what}`));
  }
  const root = toJs(document, name) ?? {};
  if (!isMap(root)) throw new UnreadableFile([`${name}: expected a map of sections, such as general and fermata`]);
  return {
    root,
    place: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? '' : ` (${name}:${lines.linePos(offset).line})`;
    },
  };
};

/** The first half of parsing needs no stack. The second does, and V8 ends the process if a RegExp runs out of it. */
const isTooDeep = (text: string): boolean => {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > maxDepth) return true;
  }
  return false;
};

/** By the codes of the parser. */
const sentences: Readonly<Record<string, string>> = {
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins an escape, and there is none like this; use single quotes',
  BAD_INDENT: 'the indentation does not fit what is above',
  BAD_SCALAR_START: 'a text that begins like this needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a text with a colon needs quotes',
  DUPLICATE_KEY: 'this name is here twice',
  MISSING_CHAR: 'something is not closed, or misses its colon or comma',
  MULTIPLE_DOCS: 'a file holds one document, and a second one begins here',
  TAB_AS_INDENT: 'tabs do not indent, spaces do',
  UNEXPECTED_TOKEN: 'nothing is expected here any more; a text may need quotes',
};

const lostAliases = (document: Document): { offset: number; what: string }[] => {
  const anchors = new Set<string>();
  const lost: { offset: number; what: string }[] = [];
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node)) anchors.add(node.anchor ?? '');
      else if (!anchors.has(node.source)) {
        lost.push({
          offset: node.range?.[0] ?? 0,
          what: 'no such anchor above; a text that begins with * needs quotes',
        });
      }
    },
  });
  return lost;
};

const toJs = (document: Document, name: string): unknown => {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch {
    throw new UnreadableFile([`${name}: too many aliases`]);
  }
};

/** Of the name of the entry, or of the last one on the way to it that is there. */
const offsetOf = (document: Document, path: Path): number | undefined => {
  let offset: number | undefined;
  let node: unknown = document.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMapNode(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0];
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
    } else {
      break;
    }
  }
  return offset;
};

const tooLarge = (name: string): UnreadableFile =>
  new UnreadableFile([`${name}: a configuration may have ${maxBytes} bytes at most`]);

const readText = (path: string): string => {
  try {
    const bytes = readAtMost(path, maxBytes + 1);
    if (bytes.length > maxBytes) throw tooLarge(path);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw thrown instanceof UnreadableFile ? thrown : new UnreadableFile([`${path}: ${whyUnreadable(thrown)}`]);
  }
};

/** Not by its size beforehand: a pipe has none. */
const readAtMost = (path: string, limit: number): Buffer => {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(limit);
    let length = 0;
    let count = -1;
    while (count !== 0 && length < limit) {
      count = readSync(file, bytes, length, limit - length, null);
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
};

/** Also for other files that a configuration names. */
export const whyUnreadable = (thrown: unknown): string => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'this process may not read it';
    case 'EISDIR':
      return 'this is a directory';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'this is not UTF-8';
    default:
      return `it cannot be read (${code || 'no reason given'})`;
  }
};
