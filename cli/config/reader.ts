/**
 * Reads settings through their schema: the command line option, else the variable, else the file, else the default. It
 * collects problems, to report all of them at once. Messages contain a value only if it cannot be a secret.
 */
import { z } from 'zod';
import { type ConfigFile, valueAt } from './file.ts';
import { type Variables, written } from './interpolate.ts';
import { isMap } from './kinds.ts';
import { nearest, orMeant } from './nearest.ts';
import { names, settings } from './schema.ts';
import {
  fileVariable,
  flagName,
  holdsOf,
  isServiceLink,
  metaOf,
  nameOf,
  type Path,
  schemaAt,
  variableOf,
} from './setting.ts';

/** Command line options by name: `--port`. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** In the order of precedence. */
export const sources = ['default', 'file', 'variable', 'option'] as const;

type Outside = { readonly name: string; readonly value: string; readonly source: 'variable' | 'option' };

export class Reader {
  /** The words of problems are only made for those that are shown. */
  readonly #problems = new Map<string, () => string>();
  readonly #warnings = new Map<string, Map<string, string>>();
  /** Settings that are refused. They count as not set. */
  readonly #refused = new Set<string>();
  /** What options and variables set. */
  readonly #outside = new Map<string, Outside>();
  readonly #file: ConfigFile;

  constructor(file: ConfigFile, variables: Variables, flags: Flags) {
    this.#file = file;
    for (const problem of unknownVariables(variables)) this.#problems.set(problem, () => problem);
    for (const setting of settings) {
      const [flag = '', variable] = [flagName(setting), variableOf(setting)];
      const [typed, value] = [flags[flag], variables[variable]];
      // Containers use an empty variable for "not set".
      const isSet = value !== undefined && value !== '' && !isServiceLink(variable, value);
      if (typed !== undefined) this.#outside.set(idOf(setting.path), { name: flag, value: typed, source: 'option' });
      else if (isSet) this.#outside.set(idOf(setting.path), { name: variable, value, source: 'variable' });
    }
  }

  /**
   * The values of a section, or of an entry of a list or map. A refused value counts as not set, so that the caller can
   * check the others. Undefined if a required value is missing or refused.
   */
  read<Section extends z.ZodObject>(section: Section, path: Path = []): z.output<Section> | undefined {
    const { data, error } = section.safeParse(this.#gather(section, path));
    if (error === undefined) return data;
    const isUnknown = ({ code }: z.core.$ZodIssue): number => Number(code === 'unrecognized_keys');
    const issues = error.issues.toSorted((one, other) => isUnknown(other) - isUnknown(one));
    for (const issue of issues) this.#report(section, path, issue);
    return section.safeParse(this.#gather(section, path)).data;
  }

  /** In the file. */
  lookUp(path: Path): unknown {
    return valueAt(this.#file.root, path);
  }

  /** The source of the used value. */
  sourceOf(path: Path): (typeof sources)[number] {
    return this.#outside.get(idOf(path))?.source ?? (this.lookUp(path) === undefined ? 'default' : 'file');
  }

  get problems(): readonly (() => string)[] {
    return [...this.#problems.values()];
  }

  refuse(path: Path, what: string, advice = (): string => ''): void {
    const id = idOf(path);
    this.#refused.add(id);
    this.#problems.set(id + what, () => `${this.#nameOf(path)}: ${what}${advice()}${this.#placeOf(path)}`);
  }

  warn(path: Path, what: string): void {
    const places = this.#warnings.get(what) ?? new Map<string, string>();
    this.#warnings.set(what, places.set(this.#nameOf(path), this.#placeOf(path)));
  }

  /** One message per problem, for any number of settings. */
  get warnings(): readonly string[] {
    return [...this.#warnings].map(([what, places]) => {
      const place = places.size === 1 ? [...places.values()].join('') : '';
      return `${[...places.keys()].join(', ')}: ${what}${place}`;
    });
  }

  /** The values of all sources, unparsed. Unknown names are among them. */
  #gather(section: z.ZodObject, path: Path): Readonly<Record<string, unknown>> {
    const found = this.#mapAt(path);
    const unknown = Object.entries(found).filter(
      ([name]) => !Object.hasOwn(section.shape, name) && !this.#refused.has(idOf([...path, name])),
    );
    const known = Object.entries(section.shape).map(([name, schema]) => {
      const at = [...path, name];
      return [name, schema instanceof z.ZodObject ? this.#gather(schema, at) : this.#given(schema, at)] as const;
    });
    return Object.fromEntries([...unknown, ...known.filter(([, value]) => value !== undefined)]);
  }

  /** Empty if nothing is there, or no map. */
  #mapAt(path: Path): Readonly<Record<string, unknown>> {
    const found = this.lookUp(path) ?? null;
    if (isMap(found)) return found;
    const { fault } = this.#file.find(path);
    if (fault !== undefined) this.refuse(path, fault);
    else if (found !== null) this.refuse(path, `expected a map, got ${kindOf(found)}`);
    return {};
  }

  #given(schema: z.core.$ZodType, path: Path): unknown {
    if (this.#refused.has(idOf(path))) return undefined;
    const outside = this.#outside.get(idOf(path));
    if (outside !== undefined) return outside.value;
    const { natOnly, isEntries, warning, nullIsUnset, nullInSection } = metaOf(schema);
    const value = this.lookUp(path);
    if (value === undefined) return nullInSection && isMap(this.lookUp(path.slice(0, -1))) ? null : undefined;
    if (warning !== undefined) this.warn(path, warning);
    const isReadHere = natOnly === undefined && !(isEntries && value !== null);
    const { fault } = this.#file.find(path);
    if (isReadHere && fault !== undefined) {
      this.refuse(path, fault);
      return undefined;
    }
    if (isReadHere) this.#warnOfDollar(path, value);
    return value === null && (nullIsUnset || schema instanceof z.ZodOptional) ? undefined : value;
  }

  #report(section: z.ZodObject, base: Path, issue: z.core.$ZodIssue): void {
    const inner = issue.path as Path;
    const path = [...base, ...inner];
    const { schema, at } = schemaAt(section, inner);
    if (issue.code === 'unrecognized_keys') {
      const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
      const elsewhere = base.length === 0 ? everywhere : [];
      for (const name of issue.keys) {
        this.refuse([...path, name], 'there is no such setting', () => meant(name, known, elsewhere));
      }
      return;
    }
    const setting = [...base, ...at];
    const outside = this.#outside.get(idOf(setting));
    const value = outside?.value ?? this.lookUp(path) ?? this.lookUp(setting); // an item of a text with commas is a part
    if (value === undefined && [setting, base].some((one) => this.#refused.has(idOf(one)))) return;
    const holds = holdsOf(schema);
    const about = metaOf(schemaAt(section, at).schema);
    const isSecret = about.secret || about.isEntries; // a secret may stand there by mistake
    const origin = outside === undefined ? this.#file.find(path).written : undefined;
    const got = isSecret ? kindOf(value) : shown(origin ?? value);
    const isUnquoted = ['number', 'boolean'].includes(typeof value) && z.safeParse(schema, String(value)).success;
    this.#refused.add(idOf(setting));
    if (holds === undefined) this.refuse(path, issue.message);
    else if (value === undefined) this.refuse(path, `is missing: expected ${holds}`);
    else this.refuse(path, `expected ${holds}, got ${got}${isUnquoted ? '; put it in quotes' : ''}`);
  }

  #warnOfDollar(path: Path, given: unknown): void {
    if (typeof given !== 'string' || !/^\$[A-Z_][A-Z0-9_]*$/.test(given)) return;
    this.warn(path, `is taken as it stands; a variable needs braces: ${written('NAME')}`);
  }

  /** The option or variable that sets it; undefined if the file does. Also for an item of its list. */
  #outsideOf(path: Path): Outside | undefined {
    return this.#outside.get(idOf(path)) ?? this.#outside.get(idOf(path.slice(0, -1)));
  }

  #nameOf(path: Path): string {
    const outside = this.#outsideOf(path);
    if (outside !== undefined) return outside.name;
    const { inserted } = this.#file.find(path); // a name from a variable may be a part of a secret
    return nameOf(path.map((step, at) => (inserted.has(at) ? '(of a variable)' : step)));
  }

  #placeOf(path: Path): string {
    return this.#outsideOf(path) === undefined ? this.#file.find(path).place() : '';
  }
}

const idOf = (path: Path): string => JSON.stringify(path);

const everywhere: readonly Path[] = names.flatMap(({ path }) => path.map((_, at) => path.slice(0, at + 1)));

const meant = (name: string, known: readonly string[], elsewhere: readonly Path[]): string => {
  const same = elsewhere.find((path) => path.at(-1) === name);
  return orMeant(same === undefined ? nearest(name, known) : nameOf(same));
};

/** Problems in the names of our variables. */
const unknownVariables = (variables: Variables): string[] => {
  const known = [fileVariable, ...settings.map(variableOf)];
  return Object.entries(variables)
    .filter(([name, value]) => name.startsWith('FERMATA_') && !known.includes(name) && !isServiceLink(name, value))
    .map(([name]) => {
      const shorter = known.find((other) => name.endsWith(other.slice('FERMATA'.length))); // with a section in its name
      return `${name}: there is no such variable${orMeant(shorter ?? nearest(name, known))}`;
    });
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return isMap(value) ? 'a map' : 'a value with a YAML tag';
  return `a ${typeof value === 'string' ? 'text' : typeof value}`;
};

const maxShown = 60;

/** The text in the file, because variables may contain secrets; without the credentials of a URL. */
const shown = (value: unknown): string => {
  if (typeof value !== 'string') return typeof value === 'object' ? kindOf(value) : String(value);
  const text = value.replace(/\/\/[^/]*@/, '//...@');
  return JSON.stringify(text.length > maxShown ? `${text.slice(0, maxShown)}...` : text);
};
