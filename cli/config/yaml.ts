/**
 * Parses the YAML of a configuration. Errors are in our own words, with line and column: the parser's messages quote the
 * file, which may contain secrets. Depth and aliases are limited.
 */
import { type Document, isAlias, isScalar, Lexer, type Node, Parser, parseDocument, visit } from 'yaml';
import type { Expanded } from './interpolate.ts';
import { isMap } from './kinds.ts';
import { type Found, Places } from './places.ts';
import type { Path } from './setting.ts';
import { unusable } from './unusable.ts';

export type Root = Readonly<Record<string, unknown>>;

export interface ParsedYaml {
  readonly root: Root;
  find(path: Path): Found;
}

/** Number of reported YAML errors; others are often consequences of the first. */
const maxYamlErrors = 5;
const maxAliases = 1_000;
export const maxDepth = 100;

/** `original` is the text before variables were replaced, and `name` the file in messages. Throws `unusable`. */
export const parseYaml = (name: string, original: string, expanded: Expanded): ParsedYaml => {
  if (isTooDeep(expanded.text)) throw unusable([`${name}: nested more than ${maxDepth} levels deep`]);
  const document = parseDocument(expanded.text, {
    prettyErrors: false,
    merge: true,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const places = new Places(name, original, expanded, document);
  const faults = [...errorsOf(document), ...faultsIn(document)].slice(0, maxYamlErrors);
  if (faults.length > 0) throw unusable(faults.map(({ offset, what }) => `${places.placeAt(offset)}: ${what}`));
  places.keepTexts();
  const root = toJs(document, name) ?? {};
  if (!isMap(root)) throw unusable([`${name}: expected a map of sections, such as general and fermata`]);
  return { root, find: (path) => places.find(path) };
};

type Fault = { readonly offset: number; readonly what: string };

const errorsOf = ({ errors, warnings }: Document): Fault[] =>
  [...errors, ...warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED')].map(({ code, pos: [offset] }) => ({
    offset,
    what: sentences[code] ?? 'this is not YAML',
  }));

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
const faultsIn = (document: Document): Fault[] => {
  const anchors = new Set<string>();
  const faults: Fault[] = [];
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
