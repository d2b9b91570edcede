/** Reads the file, with the variables in its text and the files that it inherits from. */
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '../../runtime/index.ts';
import { expand, type Variables } from './interpolate.ts';
import { isMap } from './kinds.ts';
import type { Path } from './setting.ts';
import { unusable } from './unusable.ts';
import { maxDepth, type ParsedYaml, parseYaml, type Root } from './yaml.ts';

/** `root` has the inherited parts too. */
export type ConfigFile = ParsedYaml;

export const noFile: ConfigFile = { root: {}, find: () => ({ place: () => '', inserted: new Set() }) };

const maxBytes = 1024 * 1024;
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
  return withBase(parseYaml(name, text, expanded), name, variables, heirs);
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
  const root = merged(inherited.root, own);
  if (root === undefined) throw unusable([`${name}: base: maps that contain themselves cannot be merged`]);
  return {
    root,
    find: (place) => (valueAt(own, place) === undefined ? inherited : file).find(place),
  };
};

/** Undefined if it has no end, because an anchor is inside of itself. */
const merged = (base: Root, own: Root, depth = 0): Root | undefined => {
  if (depth > maxDepth) return undefined;
  const whole = { ...base };
  for (const [name, value] of Object.entries(own)) {
    const inherited = valueAt(base, [name]);
    const both = isMap(inherited) && isMap(value) ? merged(inherited, value, depth + 1) : value;
    if (both === undefined) return undefined;
    Object.defineProperty(whole, name, { value: both, enumerable: true, configurable: true, writable: true });
  }
  return whole;
};

export const valueAt = (root: Root, path: Path): unknown =>
  path.reduce<unknown>((found, step) => {
    if (Array.isArray(found)) return found[Number(step)];
    return isMap(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  }, root);

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
