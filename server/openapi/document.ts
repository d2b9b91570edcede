/** The OpenAPI document: all routes by their own descriptions, and the schemas that they refer to. */
import type { JsonSchema } from '../../runtime/index.ts';
import { type About, type Answer, type HeaderName, headers, type Parameter, problem, tags } from '../http/about.ts';
import type { Route } from '../http/route.ts';
import { Schemas } from './schemas.ts';

export interface DocumentOptions {
  readonly title: string;
  readonly version: string;
  /** Prefix of all paths; `''` for none. */
  readonly rootPath: string;
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

/** Routes with a description. Routes with `about: null` are left out. Throws for a route without `about`. */
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

/** Throws like `describedRoutes`, and like `Schemas`. */
export const openApiOf = (routes: readonly Route[], { title, version, rootPath }: DocumentOptions): OpenApi => {
  const schemas = new Schemas();
  const refused = { description: 'Refused; `code` is the reason.', content: schemas.contentOf(problem) };
  const paths: Record<string, Record<string, unknown>> = {};
  const names = new Set<string>();
  for (const { method, path, about } of describedRoutes(routes)) {
    const item = (paths[templateOf(path)] ??= {});
    item[method.toLowerCase()] = operationOf(about, path, freeName(operationName(method, path), names), schemas);
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
      schemas: schemas.all,
      securitySchemes,
      responses: { Refused: refused },
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

const operationOf = (about: About, path: string, operationId: string, schemas: Schemas): Record<string, unknown> => {
  const { tag, summary, description, parameters = [], body, answers, credential = 'caller' } = about;
  const all = [...pathParameters(path), ...parameters];
  const security = securities[credential];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(all.length > 0 && { parameters: all }),
    ...(body !== undefined && { requestBody: { required: true, content: schemas.contentOf(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer, schemas)])),
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

const responseOf = ({ description, content, headers: names }: Answer, schemas: Schemas): Record<string, unknown> => ({
  description,
  ...(names !== undefined && { headers: Object.fromEntries(names.map(headerOf)) }),
  ...(content !== undefined && { content: schemas.contentOf(content) }),
});

const headerOf = (name: HeaderName): [string, unknown] => [
  name,
  { description: headers[name], schema: { type: 'string' } },
];
