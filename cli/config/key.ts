/** The definition of a setting: its path, its values and its meaning. Parsing, help and manual use it. */
import type { Kind } from './kinds.ts';

export interface Key<Value> {
  /** Its path in the file, such as `general.front_end.port`; or within an entry of a list or map. */
  readonly path: string;
  readonly kind: Kind<Value>;
  readonly initial: Value;
  /** The text in the manual and the help. */
  readonly meaning: string;
  /** The flag as in the help: `--port <number>`. */
  readonly flag?: string;
  /** Whether its value is secret. Messages then never show it. */
  readonly isSecret?: true;
  readonly isRequired?: true;
  /** Null is not a value, and counts as not set, as on NAT. */
  readonly nullIsUnset?: true;
  /** Replaces `initial` if the file has the section: NAT then uses the section without its defaults. */
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

/** Its initial value is never used: without a value the configuration is refused. */
export const required = (path: string, kind: Kind<string>, meaning: string, more: More<string> = {}): Key<string> => ({
  path,
  kind,
  initial: '',
  meaning,
  isRequired: true,
  ...more,
});

/** `general.front_end.cors.max_age` becomes `FERMATA_CORS_MAX_AGE`, without the common sections. */
export const variableOf = ({ path }: Key<unknown>): string =>
  `FERMATA_${path
    .replace(/^(general\.front_end|general|fermata)\./, '')
    .replaceAll('.', '_')
    .toUpperCase()}`;

/**
 * Whether Kubernetes has set it, rather than an operator. For a service named `fermata`, every container has
 * `FERMATA_SERVICE_HOST`, `FERMATA_PORT=tcp://...` and others.
 */
export const isServiceLink = (variable: string, value: string | undefined): boolean =>
  /_SERVICE_(HOST|PORT)(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/.test(variable) ||
  (variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value ?? ''));

/** `--root-path` of `--root-path <path>`. */
export const flagName = ({ flag }: Key<unknown>): string | undefined => flag?.split(' ')[0];

export const sectionOf = ({ path }: Key<unknown>): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** The default as the manual and the help show it. */
export const shownInitial = ({ initial, kind, isRequired }: Key<unknown>): string => {
  if (isRequired) return 'required';
  if (initial === undefined) return 'not set';
  return kind.write?.(initial) ?? (typeof initial === 'string' && initial !== '' ? initial : JSON.stringify(initial));
};
