/** What a setting is: where it stands, what it may hold, and what it means. Parsing, help and manual are made from it. */
import type { Kind } from './kinds.ts';

export interface Key<Value> {
  /** In the file, such as `general.front_end.port`; or within an entry of a list or map. */
  readonly path: string;
  readonly kind: Kind<Value>;
  readonly initial: Value;
  /** For the manual and the help. */
  readonly meaning: string;
  /** As the help shows it: `--port <number>`. */
  readonly flag?: string;
  /** Never shown in a message. */
  readonly isSecret?: true;
  readonly isRequired?: true;
  /** Null is no value of the kind, and counts as not set, as on NAT. */
  readonly nullIsUnset?: true;
  /** Instead of `initial`, as soon as the file has the section: as NAT, which then takes the section as it is. */
  readonly initialInSection?: Value;
}

export type Table = Readonly<Record<string, Key<unknown>>>;

export type ValuesOf<Keys extends Table> = {
  readonly [Name in keyof Keys]: Keys[Name] extends Key<infer Value> ? Value : never;
};

type More<Value> = Omit<Key<Value>, 'path' | 'kind' | 'initial' | 'meaning'>;

export const key = <Value>(
  path: string,
  kind: Kind<Value>,
  initial: Value,
  meaning: string,
  more: More<Value> = {},
): Key<Value> => ({ path, kind, initial, meaning, ...more });

export const optional = <Value>(
  path: string,
  kind: Kind<Value>,
  meaning: string,
  more: More<Value | undefined> = {},
): Key<Value | undefined> => ({ path, kind, initial: undefined, meaning, nullIsUnset: true, ...more });

/** The initial value is never seen: without one there is no configuration. */
export const required = (path: string, kind: Kind<string>, meaning: string, more: More<string> = {}): Key<string> => ({
  path,
  kind,
  initial: '',
  meaning,
  isRequired: true,
  ...more,
});

/** `general.front_end.cors.max_age` is `FERMATA_CORS_MAX_AGE`: the sections that everything stands in are left out. */
export const variableOf = ({ path }: Key<unknown>): string =>
  `FERMATA_${path
    .replace(/^(general\.front_end|general|fermata)\./, '')
    .replaceAll('.', '_')
    .toUpperCase()}`;

/**
 * Whether Kubernetes has set it, and not somebody who means us: beside a service called `fermata`, every container has
 * `FERMATA_SERVICE_HOST`, `FERMATA_PORT=tcp://...` and a few more.
 */
export const isServiceLink = (variable: string, value: string | undefined): boolean =>
  /_SERVICE_(HOST|PORT)(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/.test(variable) ||
  (variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value ?? ''));

/** `--root-path` of `--root-path <path>`. */
export const flagName = ({ flag }: Key<unknown>): string | undefined => flag?.split(' ')[0];

export const sectionOf = ({ path }: Key<unknown>): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** What it is when nobody sets it, as the manual and the help show it. */
export const shownInitial = ({ initial, kind, isRequired }: Key<unknown>): string => {
  if (isRequired) return 'required';
  if (initial === undefined) return 'not set';
  return kind.write?.(initial) ?? (typeof initial === 'string' && initial !== '' ? initial : JSON.stringify(initial));
};
