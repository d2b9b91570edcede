/** The OpenAPI document: all routes by their own descriptions, and the schemas that they refer to. */
import type { JsonSchema } from '../../runtime/index.ts';
import { type About, type Answer, type HeaderName, headers, type Parameter, problem, tags } from '../http/about.ts';
import type { Route } from '../http/route.ts';

export interface DocumentOptions {
  readonly title: string;
  readonly version: string;
  /** Prefix of all paths; `''` for none. */
  readonly rootPath: string;
  /** By name. Unused schemas are left out. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

export interface OpenApi {
  readonly [member: string]: unknown;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>>; readonly [kind: string]: unknown };
}

export interface Described {
  readonly method: Route['method'];
  readonly path: string;
  readonly about: About;
}

/** Routes with a description. Throws for a route without a description and without `null`. */
export const describedRoutes = (routes: readonly Route[]): Described[] => {
  const found = new Map<string, Described>();
  for (const { method, path, about } of routes) {
    if (about === undefined) throw new Error(`${method} ${path} has no description`);
    const key = `${method} ${path}`;
    // Of two routes with the same path and method the first one answers.
    if (about !== null && !found.has(key)) found.set(key, { method, path, about });
  }
  return [...found.values()];
};

/** Throws like `describedRoutes`, and for a reference to an unknown schema. */
export const openApiOf = (
  routes: readonly Route[],
  { title, version, rootPath, schemas }: DocumentOptions,
): OpenApi => {
  const paths: Record<string, Record<string, unknown>> = {};
  const names = new Set<string>();
  for (const { method, path, about } of describedRoutes(routes)) {
    const item = (paths[templateOf(path)] ??= {});
    item[method.toLowerCase()] = operationOf(about, path, freeName(operationName(method, path), names));
  }

  const used = Object.values(paths).flatMap((item) => Object.values(item) as { tags: string[] }[]);
  return {
    openapi: '3.1.0',
    info: { title, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: rootPath || '/' }],
    security: [{}, ...CREDENTIALS.map((name) => ({ [name]: [] }))],
    tags: Object.entries(tags)
      .filter(([name]) => used.some((operation) => operation.tags.includes(name)))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemasFor(paths, schemas),
      securitySchemes,
      responses: { Refused: { description: 'Refused; `code` is the reason.', content: mediaOf(problem) } },
    },
  };
};

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A JWT, or an API key.' },
  basic: { type: 'http', scheme: 'basic' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  session: { type: 'apiKey', in: 'cookie', name: 'nat-session' },
  operator: { type: 'apiKey', in: 'header', name: 'X-Operator-Key', description: 'The key of the operator.' },
} as const;

const CREDENTIALS = Object.keys(securitySchemes);

const securities = { caller: undefined, operator: [{}, { operator: [] }], none: [] } as const;

const segmentsOf = (path: string): string[] => path.split('/').slice(1);
const REST = { name: 'path', description: 'The rest of the path, which may contain slashes.' };

const parameterOf = (segment: string): string | undefined =>
  segment === '*' ? REST.name : segment.startsWith(':') ? segment.slice(1) : undefined;

export const templateOf = (path: string): string =>
  segmentsOf(path)
    .map((segment) => {
      const name = parameterOf(segment);
      return name === undefined ? `/${segment}` : `/{${name}}`;
    })
    .join('');

/** `GET /executions/:executionId` is `getExecutionsByExecutionId`. */
const operationName = (method: string, path: string): string => {
  const words = segmentsOf(path).map((segment) => {
    const name = parameterOf(segment);
    const camel = (name ?? segment).replace(/(?:^|[^a-zA-Z0-9]+)([a-zA-Z0-9]?)/g, (_, first: string) =>
      first.toUpperCase(),
    );
    return name === undefined ? camel : `By${camel}`;
  });
  return method.toLowerCase() + words.join('');
};

const freeName = (wanted: string, taken: Set<string>): string => {
  let name = wanted;
  for (let next = 2; taken.has(name); next += 1) name = `${wanted}${next}`;
  taken.add(name);
  return name;
};

const operationOf = (about: About, path: string, operationId: string): Record<string, unknown> => {
  const { tag, summary, description, parameters = [], body, answers, credential = 'caller' } = about;
  const all = [...pathParameters(path), ...parameters];
  const security = securities[credential];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(all.length > 0 && { parameters: all }),
    ...(body !== undefined && { requestBody: { required: true, content: mediaOf(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
      '4XX': { $ref: '#/components/responses/Refused' },
      '5XX': { $ref: '#/components/responses/Refused' },
    },
    ...(security !== undefined && { security }),
  };
};

const pathParameters = (path: string): (Omit<Parameter, 'in' | 'description'> & { in: 'path' })[] =>
  segmentsOf(path).flatMap((segment) => {
    const name = parameterOf(segment);
    if (name === undefined) return [];
    const described = segment === '*' ? { description: REST.description } : {};
    return [{ name, in: 'path' as const, required: true, schema: { type: 'string' }, ...described }];
  });

const mediaOf = (content: NonNullable<Answer['content']>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));

const responseOf = ({ description, content, headers: names }: Answer): Record<string, unknown> => ({
  description,
  ...(names !== undefined && { headers: Object.fromEntries(names.map(headerOf)) }),
  ...(content !== undefined && { content: mediaOf(content) }),
});

const headerOf = (name: HeaderName): [string, unknown] => [
  name,
  { description: headers[name], schema: { type: 'string' } },
];

const SCHEMAS = '#/components/schemas/';

/**
 * Used schemas, directly or through other schemas. References within a schema become references within the document.
 */
const schemasFor = (paths: unknown, schemas: DocumentOptions['schemas']): Record<string, JsonSchema> => {
  const found: Record<string, JsonSchema> = {};
  const follow = (value: unknown): void => {
    for (const name of referencesIn({ problem, value })) {
      if (name in found) continue;
      const schema = schemas[name];
      if (schema === undefined) throw new Error(`no schema is named ${name}`);
      found[name] = embedded(schema, SCHEMAS + name);
      follow(found[name]);
    }
  };
  follow(paths);
  return Object.fromEntries(Object.entries(found).sort(([one], [other]) => (one < other ? -1 : 1)));
};

const referencesIn = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/([\w.-]+)/g)].map(([, name]) => name!);

const embedded = ({ $schema: _, $id: __, ...schema }: JsonSchema, at: string): JsonSchema =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    const isInner = key === '$ref' && typeof value === 'string' && value.startsWith('#') && !value.startsWith(SCHEMAS);
    return isInner ? at + value.slice(1) : value;
  }) as JsonSchema;
