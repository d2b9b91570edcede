/** Settings as the schema describes them: names, variables, options, defaults. */
import { z } from 'zod';

/** `['general', 'front_end', 'endpoints', 0, 'path']` */
export type Path = readonly (string | number)[];

/** What a schema says about itself, with `.meta()`. */
export interface About {
  /** The text in the manual and the help. */
  description?: string | undefined;
  /** The command line option as in the help: `--port <number>`. */
  flag?: string;
  /** Messages and logs never show the value. */
  secret?: true;
  /** Null counts as not set, as on NAT. Optional settings have this without saying so. */
  nullIsUnset?: true;
  /** Null replaces the default if the file has the section: NAT then uses the section without its defaults. */
  nullInSection?: true;
  /** A name of NAT without effect here, and what the manual says about it. It has no variable. */
  natOnly?: string;
  /** A warning for a file that has the setting. */
  warning?: string;
  /** A list or map of entries, each with a schema of its own. It has no variable. */
  isEntries?: true;
  /** Of kinds: completes "expected ...". */
  holds?: string;
  /** Of kinds: the default as the manual shows it. Default: as JSON. */
  show?: (value: never) => string;
}

declare module 'zod' {
  interface GlobalMeta extends About {}
}

export interface Setting extends About {
  readonly path: readonly string[];
  /** `general.front_end.port` */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly holds: string;
  /** The default, as the manual and the help show it. */
  readonly initial: string;
}

/** All settings of a section, those of its sections too. */
export const settingsOf = (section: z.ZodObject, above: readonly string[] = []): Setting[] =>
  Object.entries(section.shape).flatMap(([step, schema]) => {
    const path = [...above, step];
    if (schema instanceof z.ZodObject) return settingsOf(schema, path);
    return [
      { ...metaOf(schema), path, name: nameOf(path), schema, holds: holdsOf(schema) ?? '', initial: initialOf(schema) },
    ];
  });

export const metaOf = (schema: z.core.$ZodType): About => z.globalRegistry.get(schema) ?? {};

/** Undefined for a name of NAT whose schema has a message of its own. */
export const holdsOf = (schema: z.core.$ZodType): string | undefined => withHolds(schema)?.holds;

const withHolds = (schema: z.core.$ZodType): About | undefined => {
  const meta = metaOf(schema);
  if (meta.holds !== undefined) return meta;
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? withHolds(schema.unwrap()) : undefined;
};

const initialOf = (schema: z.ZodType): string => {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return 'required';
  if (data === undefined) return 'not set';
  const show = withHolds(schema)?.show as ((value: unknown) => string) | undefined;
  return show?.(data) ?? (typeof data === 'string' && data !== '' ? data : JSON.stringify(data));
};

/** The schema that a path leads to, and the path of the setting that it is, or is a part of. */
export const schemaAt = (section: z.ZodObject, path: Path): { schema: z.core.$ZodType; at: Path } => {
  let schema: z.core.$ZodType = section;
  let at: Path = path;
  for (const [depth, step] of path.entries()) {
    if (at === path && !(schema instanceof z.ZodObject)) at = path.slice(0, depth);
    schema = (schema instanceof z.ZodObject ? schema.shape[step] : entryOf(schema)) ?? schema;
  }
  return { schema, at };
};

const entryOf = (schema: z.core.$ZodType): z.core.$ZodType | undefined => {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return entryOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return entryOf(schema.out);
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodRecord ? schema.valueType : undefined;
};

/** `general.front_end.endpoints[0].path`; unusual names are in quotes. */
export const nameOf = (path: Path): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${quoted(step)}`)).join('');

const quoted = (name: string): string =>
  /^[\w()-][\w() -]{0,99}$/.test(name) ? name : JSON.stringify(name.slice(0, 100));

/** The variable with the path of the file. */
export const fileVariable = 'FERMATA_CONFIG';

/** `general.front_end.cors.max_age` becomes `FERMATA_CORS_MAX_AGE`, without the common sections. */
export const variableOf = ({ name }: Pick<Setting, 'name'>): string =>
  `FERMATA_${name
    .replace(/^(general\.front_end|general|fermata)\./, '')
    .replaceAll('.', '_')
    .toUpperCase()}`;

/** `--root-path` of `--root-path <path>`. */
export const flagName = ({ flag }: Pick<Setting, 'flag'>): string | undefined => flag?.split(' ')[0];

/**
 * Whether Kubernetes has set it, rather than an operator. For a service named `fermata`, every container has
 * `FERMATA_SERVICE_HOST`, `FERMATA_PORT=tcp://...` and others.
 */
export const isServiceLink = (variable: string, value: string | undefined): boolean =>
  /_SERVICE_(HOST|PORT)(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/.test(variable) ||
  (variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value ?? ''));
