/**
 * Reads the YAML file. Errors are in our own words, with line and column: the parser's messages quote the file, which
 * may contain secrets. Size, depth and aliases are limited.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isAlias, isScalar, Lexer, type Node, Parser, parseDocument, visit } from 'yaml';
import { Failure } from '../../runtime/index.ts';
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

/** Maximum number of reported problems. */
const maxProblems = 50;

/** The refusal of a configuration: a Failure `options_invalid` with one line per problem. */
export const unusable = (problems: readonly (string | (() => string))[]): Failure => {
  const more = problems.length > maxProblems ? [`and ${problems.length - maxProblems} more`] : [];
  const shown = problems.slice(0, maxProblems).map((problem) => (typeof problem === 'string' ? problem : problem()));
  const lines = [...shown, ...more].map((line) => `  ${line}`);
  return new Failure('options_invalid', { detail: ['The configuration cannot be used:', ...lines].join('\n') });
};

export const noFile: ConfigFile = { root: {}, find: () => ({ place: () => '', inserted: new Set() }) };

const maxBytes = 1024 * 1024;
/** Number of reported YAML errors; others are often consequences of the first. */
const maxYamlErrors = 5;
const maxAliases = 1_000;
const maxDepth = 100;
/** Maximum number of files in a chain of `base`. */
const maxBases = 20;

/** Throws `unusable`. */
export const readConfigFile = (path: string, variables: Variables = {}, heirs: readonly string[] = []): ConfigFile =>
  parseConfigFile(readText(path), path, variables, heirs);

/**
 * `name` is for messages, and the folder for a relative `base`. `heirs`: the files that inherit from it. Throws
 * `unusable`.
 */
export const parseConfigFile = (
  text: string,
  name: string,
  variables: Variables = {},
  heirs: readonly string[] = [],
): ConfigFile => {
  const expanded = expand(text, variables);
  if (Math.max(Buffer.byteLength(text), Buffer.byteLength(expanded.text)) > maxBytes) throw tooLarge(name);
  if (isTooDeep(expanded.text)) throw unusable([`${name}: nested more than ${maxDepth} levels deep`]);
  const document = parseDocument(expanded.text, {
    prettyErrors: false,
    merge: true,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const source = new ConfigSource(name, text, expanded, document);
  const lostTags = document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED');
  const faults = [
    ...[...document.errors, ...lostTags].map(({ code, pos }) => ({
      offset: pos[0],
      what: sentences[code] ?? 'this is not YAML',
    })),
    ...faultsIn(document),
  ];
  if (faults.length > 0) {
    throw unusable(faults.slice(0, maxYamlErrors).map(({ offset, what }) => `${source.placeAt(offset)}: ${what}`));
  }
  source.keepTexts();
  const root = toJs(document, name) ?? {};
  if (!isMap(root)) throw unusable([`${name}: expected a map of sections, such as general and fermata`]);
  return withBase({ root, find: (path) => source.find(path) }, name, variables, heirs);
};

/**
 * As on NAT: `base` is another file in the same folder. Maps are merged with those of this file; other values are
 * replaced.
 */
const withBase = (file: ConfigFile, name: string, variables: Variables, heirs: readonly string[]): ConfigFile => {
  const { base = null, ...own } = file.root;
  if (base === null) return { ...file, root: own };
  if (typeof base !== 'string' || base === '') throw unusable([`${name}: base: expected the path of a file`]);
  const path = resolve(dirname(name), base);
  if ([...heirs, resolve(name)].includes(path)) throw unusable([`${name}: base: leads in a circle`]);
  if (heirs.length >= maxBases) throw unusable([`${name}: base: more than ${maxBases} files inherit`]);
  const inherited = readConfigFile(path, variables, [...heirs, resolve(name)]);
  return {
    root: merged(inherited.root, own),
    find: (place) => (valueAt(own, place) === undefined ? inherited : file).find(place),
  };
};

const merged = (base: Root, own: Root): Root => {
  const replaced = Object.entries(own).map(([name, value]) => {
    const inherited = valueAt(base, [name]);
    return [name, isMap(inherited) && isMap(value) ? merged(inherited, value) : value] as const;
  });
  return Object.fromEntries([...Object.entries(base), ...replaced]);
};

export const valueAt = (root: Root, path: Path): unknown =>
  path.reduce<unknown>((found, step) => {
    if (Array.isArray(found)) return found[Number(step)];
    return isMap(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  }, root);

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
  MISSING_CHAR: 'something is not closed, or misses its colon or comma',
  MULTIPLE_DOCS: 'a file holds one document, and a second one begins here',
  TAG_RESOLVE_FAILED: 'this tag is not known here; a text that begins with ! needs quotes',
  TAB_AS_INDENT: 'tabs do not indent, spaces do',
  UNEXPECTED_TOKEN: 'nothing is expected here any more; a text may need quotes',
};

/** What the parser does not report, or only after a long time: names that are here twice, and unknown anchors. */
const faultsIn = (document: Document): { offset: number; what: string }[] => {
  const anchors = new Set<string>();
  const faults: { offset: number; what: string }[] = [];
  const report = (node: Node, what: string) => faults.push({ offset: node.range?.[0] ?? 0, what });
  visit(document, {
    Map: (_, map) => {
      anchors.add(map.anchor ?? '');
      const names = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = typeof key.value === 'symbol' ? key.value : String(key.value); // a merge key is a symbol
        if (names.has(name)) report(key, 'this name is here twice');
        names.add(name);
      }
    },
    Node: (_, node) => {
      // all but maps
      if (!isAlias(node)) anchors.add(node.anchor ?? '');
      else if (!anchors.has(node.source)) report(node, 'no such anchor above; a text that begins with * needs quotes');
    },
  });
  return faults;
};

const toJs = (document: Document, name: string): unknown => {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (thrown) {
    const what = thrown instanceof ReferenceError ? 'too many aliases' : '<< merges maps only';
    throw unusable([`${name}: ${what}`]);
  }
};

const tooLarge = (name: string): Failure => unusable([`${name}: a configuration may have ${maxBytes} bytes at most`]);

const readText = (path: string): string => {
  try {
    const bytes = readAtMost(path, maxBytes + 1);
    if (bytes.length > maxBytes) throw tooLarge(path);
    if (bytes.includes(0)) throw unusable([`${path}: ${notUtf8}`]); // as in UTF-16
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : unusable([`${path}: ${whyUnreadable(thrown)}`]);
  }
};

/** Not checked by file size, because a pipe has none. */
const readAtMost = (path: string, limit: number): Buffer => {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(limit);
    let length = 0;
    for (let count = -1; count !== 0 && length < limit; length += count) {
      count = readSync(file, bytes, length, limit - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
};

/** Also for other files in a configuration. */
export const whyUnreadable = (thrown: unknown): string => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'no reason given';
  return reasons[code] ?? `it cannot be read (${code})`;
};

const notUtf8 = 'this is not UTF-8; save it in that encoding';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this process may not read it',
  EISDIR: 'this is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: notUtf8,
};
