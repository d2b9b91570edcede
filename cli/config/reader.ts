/**
 * Finds the value of a setting: the command line option, else the variable, else the file, else the initial value. It
 * collects problems, to report all of them at once. Messages contain a value only if it cannot be a secret.
 */
import type { ConfigFile, Path } from './file.ts';
import { type Variables, written } from './interpolate.ts';
import { flagName, isServiceLink, type Key, sectionOf, type Table, type ValuesOf, variableOf } from './key.ts';
import { isMap } from './kinds.ts';
import { type Foreign, isRefused } from './nat-names.ts';
import { nearest } from './nearest.ts';

/** Command line options by name: `--port`. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** In the order of precedence. */
export const sources = ['initial', 'file', 'variable', 'option'] as const;
type Source = (typeof sources)[number];

type Given = { readonly value: unknown; readonly path?: Path; readonly name: string; readonly source: Source };

export class ConfigReader {
  readonly problems: string[] = [];
  readonly #warnings = new Map<string, { readonly name: string; readonly place: string }[]>();
  readonly #file: ConfigFile;
  readonly #variables: Variables;
  readonly #flags: Flags;

  constructor(file: ConfigFile, variables: Variables, flags: Flags) {
    this.#file = file;
    this.#variables = variables;
    this.#flags = flags;
  }

  values<Keys extends Table>(table: Keys): ValuesOf<Keys> {
    return valuesOf(table, (key) => this.#value(key));
  }

  /** For an entry of a list or map, which only the file can have. Names in neither table are refused. */
  entry<Keys extends Table>(table: Keys, path: Path, others: ReadonlyMap<string, Foreign>): ValuesOf<Keys> | undefined {
    const found = this.lookUp(path);
    if (!isMap(found)) {
      this.refuse(path, 'expected a map');
      return undefined;
    }
    const names = Object.values(table).map((key) => key.path);
    for (const [name, value] of Object.entries(found)) {
      const verdict = others.get(name);
      if (verdict !== undefined) this.judge(verdict, [...path, name], value);
      else if (!names.includes(name)) this.refuseName([...path, name], names);
    }
    return valuesOf(table, (key) => this.#valueIn(found, path, key));
  }

  lookUp(path: Path): unknown {
    return path.reduce<unknown>((found, step) => {
      if (Array.isArray(found)) return found[Number(step)];
      return isMap(found) && Object.hasOwn(found, step) ? found[step] : undefined;
    }, this.#file.root);
  }

  /** The source of the used value: options before variables, and variables before the file. */
  sourceOf(key: Key<unknown>): Source {
    return this.#given(key)?.source ?? 'initial';
  }

  refuse(path: Path, what: string): void {
    this.problems.push(`${this.#nameOf(path)}: ${what}${this.#file.place(path)}`);
  }

  /** `known` are the allowed names. */
  refuseName(path: Path, known: Iterable<string>): void {
    this.refuse(path, `there is no such setting${orMeant(nearest(String(path.at(-1)), known))}`);
  }

  warn(path: Path, what: string): void {
    const known = this.#warnings.get(what) ?? [];
    this.#warnings.set(what, [...known, { name: this.#nameOf(path), place: this.#file.place(path) }]);
  }

  /** One message per problem, for any number of entries. */
  get warnings(): readonly string[] {
    return [...this.#warnings].map(([what, entries]) => {
      const place = entries.length === 1 ? entries[0]?.place : '';
      return `${entries.map(({ name }) => name).join(', ')}: ${what}${place}`;
    });
  }

  judge(foreign: Foreign, path: Path, given: unknown): void {
    const verdict = foreign(given);
    if (verdict === 'accepted') return;
    if (isRefused(verdict)) this.refuse(path, verdict.refused);
    else this.warn(path, verdict.warning);
  }

  /** A name from a variable may be a part of a secret. */
  #nameOf(path: Path): string {
    const inserted = this.#file.insertedSteps(path);
    return nameOf(path.map((step, at) => (inserted.has(at) ? '(of a variable)' : step)));
  }

  #value<Value>(key: Key<Value>): Value {
    const given = this.#given(key);
    if (given !== undefined) return this.#parse(key, given);
    const { initialInSection } = key;
    return initialInSection !== undefined && isMap(this.lookUp(sectionOf(key).split('.')))
      ? initialInSection
      : key.initial;
  }

  #given(key: Key<unknown>): Given | undefined {
    const flag = flagName(key);
    const typed = flag && this.#flags[flag];
    if (flag && typed !== undefined) return { value: typed, name: flag, source: 'option' };
    const variable = variableOf(key);
    const set = this.#variables[variable];
    // Containers use an empty variable for "not set".
    if (set && !isServiceLink(variable, set)) return { value: set, name: variable, source: 'variable' };
    const path = key.path.split('.');
    const value = this.lookUp(path);
    return value === undefined ? undefined : { value, path, name: key.path, source: 'file' };
  }

  #valueIn<Value>(entry: Readonly<Record<string, unknown>>, base: Path, key: Key<Value>): Value {
    const path = [...base, key.path];
    const value = Object.hasOwn(entry, key.path) ? entry[key.path] : undefined;
    if (value !== undefined) return this.#parse(key, { value, path, name: nameOf(path), source: 'file' });
    if (key.isRequired) this.refuse(path, `is missing: expected ${key.kind.expected}`);
    return key.initial;
  }

  #parse<Value>(key: Key<Value>, { value, path, name }: Given): Value {
    const fault = path && this.#file.fault(path);
    if (path !== undefined && fault !== undefined) {
      this.refuse(path, fault);
      return key.initial;
    }
    const text = path && this.#file.textAt(path);
    if (value === null && key.nullIsUnset && (text === undefined || text === '')) return key.initial;
    if (path !== undefined) this.#warnOfDollar(path, value);
    // A secret in a variable may be digits, or the word null.
    const asItIs = key.kind.parse(value);
    const parsed = asItIs === undefined && text !== undefined ? key.kind.parse(text) : asItIs;
    if (parsed !== undefined) return parsed;
    const origin = path && this.#file.writtenAt(path);
    const got = key.isSecret ? kindOf(value) : shown(origin ?? value);
    this.problems.push(`${name}: expected ${key.kind.expected}, got ${got}${path ? this.#file.place(path) : ''}`);
    return key.initial;
  }

  #warnOfDollar(path: Path, given: unknown): void {
    if (typeof given !== 'string' || !/^\$[A-Z_][A-Z0-9_]*$/.test(given)) return;
    this.warn(path, `is taken as it stands; a variable needs braces: ${written('NAME')}`);
  }
}

const valuesOf = <Keys extends Table>(table: Keys, read: (key: Key<unknown>) => unknown): ValuesOf<Keys> =>
  Object.fromEntries(Object.entries(table).map(([name, key]) => [name, read(key)])) as ValuesOf<Keys>;

export const orMeant = (name: string | undefined): string => (name === undefined ? '' : `, did you mean ${name}?`);

/** `general.front_end.endpoints[0].path` */
const nameOf = (path: Path): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${step}`)).join('');

const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
};

const maxShown = 60;

/** The text in the file, because variables may contain secrets; without the credentials of a URL. */
const shown = (value: unknown): string => {
  if (typeof value !== 'string') return typeof value === 'object' ? kindOf(value) : String(value);
  const text = value.replace(/\/\/[^/]*@/, '//...@');
  return JSON.stringify(text.length > maxShown ? `${text.slice(0, maxShown)}...` : text);
};
