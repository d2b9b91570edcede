/**
 * Reads the YAML file. Errors are in our own words, with line and column: the parser's messages quote the file, which
 * may contain secrets. Size, depth and aliases are limited.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isAlias, Lexer, Parser, parseDocument, visit } from 'yaml';
import { expand, type Variables } from './interpolate.ts';
import { isMap } from './kinds.ts';
import type { Path } from './setting.ts';
import { ConfigSource, type Found } from './source.ts';

type Root = Readonly<Record<string, unknown>>;

export interface ConfigFile {
  /** With the inherited parts. */
  readonly root: Root;
  find(path: Path): Found;
}

/** The errors of an unreadable file, one per line, with their places. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export const noFile: ConfigFile = { root: {}, find: () => ({ place: '', inserted: new Set() }) };

const maxBytes = 1024 * 1024;
/** Number of reported YAML errors; others are often consequences of the first. */
const maxProblems = 5;
const maxAliases = 1_000;
const maxDepth = 100;
/** Maximum number of files in a chain of `base`. */
const maxBases = 20;

/** Throws UnreadableFile. */
export const readConfigFile = (path: string, variables: Variables = {}, heirs: readonly string[] = []): ConfigFile =>
  parseConfigFile(readText(path), path, variables, heirs);

/**
 * `name` is for messages, and the folder for a relative `base`. `heirs`: the files that inherit from it. Throws
 * UnreadableFile.
 */
export const parseConfigFile = (
  text: string,
  name: string,
  variables: Variables = {},
  heirs: readonly string[] = [],
): ConfigFile => {
  const expanded = expand(text, variables);
  if (Math.max(Buffer.byteLength(text), Buffer.byteLength(expanded.text)) > maxBytes) throw tooLarge(name);
  if (isTooDeep(expanded.text)) throw new UnreadableFile([`${name}: nested more than ${maxDepth} levels deep`]);
  const source = new ConfigSource(name, text, expanded);
  const document = parseDocument(expanded.text, { prettyErrors: false, merge: true, logLevel: 'error' });
  const faults = [
    ...document.errors.map(({ code, pos }) => ({ offset: pos[0], what: sentences[code] ?? 'this is not YAML' })),
    ...lostAliases(document),
  ];
  if (faults.length > 0) {
    const lines = faults.slice(0, maxProblems).map(({ offset, what }) => `${source.placeAt(offset)}: ${what}`);
    throw new UnreadableFile(lines);
  }
  source.keepTexts(document);
  const root = toJs(document, name) ?? {};
  if (!isMap(root)) throw new UnreadableFile([`${name}: expected a map of sections, such as general and fermata`]);
  return withBase({ root, find: (path) => source.find(document, path) }, name, variables, heirs);
};

/**
 * As on NAT: `base` is another file in the same folder. Maps are merged with those of this file; other values are
 * replaced.
 */
const withBase = (file: ConfigFile, name: string, variables: Variables, heirs: readonly string[]): ConfigFile => {
  const { base = null, ...own } = file.root;
  if (base === null) return { ...file, root: own };
  if (typeof base !== 'string' || base === '') throw new UnreadableFile([`${name}: base: expected the path of a file`]);
  const path = resolve(dirname(name), base);
  if ([...heirs, resolve(name)].includes(path)) throw new UnreadableFile([`${name}: base: leads in a circle`]);
  if (heirs.length >= maxBases) throw new UnreadableFile([`${name}: base: more than ${maxBases} files inherit`]);
  const inherited = readConfigFile(path, variables, [...heirs, resolve(name)]);
  return { root: merged(inherited.root, own), find: (place) => (has(own, place) ? file : inherited).find(place) };
};

const merged = (base: Root, own: Root): Root => {
  const whole: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(own)) {
    const inherited = Object.hasOwn(base, name) ? base[name] : undefined;
    const both = isMap(inherited) && isMap(value) ? merged(inherited, value) : value;
    Object.defineProperty(whole, name, { value: both, enumerable: true, configurable: true, writable: true });
  }
  return whole;
};

const has = (root: Root, path: Path): boolean => {
  let found: unknown = root;
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return false;
    found = Reflect.get(found, step);
  }
  return true;
};

/**
 * The first phase of parsing needs no stack. The second phase does, and V8 ends the process if a RegExp exhausts the
 * stack.
 */
const isTooDeep = (text: string): boolean => {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > maxDepth) return true;
  }
  return false;
};

/** By the error codes of the parser. */
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

/** Not checked by file size, because a pipe has none. */
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

/** Also for other files in a configuration. */
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
