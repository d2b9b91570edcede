/**
 * Finds the route of a path, by a tree of segments. A literal segment wins over a parameter, and a parameter over a
 * rest. Of two routes with the same path and method the first one wins. Segments are compared decoded, one by one, so
 * an encoded slash separates nothing. A rest is the remaining path, decoded; its route has to check it.
 */
import type { Route } from './route.ts';

export type Found =
  | { readonly kind: 'route'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'otherMethod'; readonly allow: string }
  | { readonly kind: 'trailingSlash' }
  | { readonly kind: 'nothing' };

export interface Router {
  /** The path of a URL without the root path, if it is below it. */
  inner(path: string): string;
  /** `path` is below the root path, still percent-encoded. `trailingSlash`: without the slash, a route would match. */
  find(method: string, path: string): Found;
}

type Endpoint = { route: Route; names: readonly (readonly [name: string, at: number])[]; found: Found };
type Endpoints = Map<string, Endpoint>;
type Node = {
  literals: Map<string, Node>;
  parameter: Node | undefined;
  endpoints: Endpoints;
  /** The route for all remaining segments, if there is one. */
  rest: Endpoints | undefined;
};

const node = (): Node => ({ literals: new Map(), parameter: undefined, endpoints: new Map(), rest: undefined });
const nothing: Found = { kind: 'nothing' };
const trailingSlash: Found = { kind: 'trailingSlash' };
const REST = '*';
const isParameter = (segment: string): boolean => segment.startsWith(':');

/**
 * Routes answer with and without `rootPath` (e.g. `/api`). Throws for a path that does not start with a slash, or
 * continues after a rest.
 */
export const createRouter = (routes: readonly Route[], rootPath = ''): Router => {
  const root = node();
  for (const route of routes) addRoute(root, route);
  const prefix = rootPath.endsWith('/') ? rootPath.slice(0, -1) : rootPath;
  if (prefix !== '') requireSlash(prefix);

  const inner = (path: string): string => {
    if (prefix === '' || !path.startsWith(prefix)) return path;
    if (path.length === prefix.length) return '/';
    return path.startsWith('/', prefix.length) ? path.slice(prefix.length) : path;
  };

  const headOf = (segments: readonly string[]): Endpoint | undefined => {
    const endpoint = seek(root, segments, 0, 'GET');
    return endpoint?.route.isUnsafe ? undefined : endpoint;
  };

  const match = (method: string, path: string): Found => {
    const segments = segmentsOf(path);
    if (segments === undefined) return nothing;
    // A HEAD is answered like a GET without its body.
    const endpoint = seek(root, segments, 0, method) ?? (method === 'HEAD' ? headOf(segments) : undefined);
    if (endpoint !== undefined) return endpoint.names.length === 0 ? endpoint.found : bind(endpoint, segments);
    const others = new Set(methodsAt(root, segments, 0));
    return others.size === 0 ? nothing : { kind: 'otherMethod', allow: [...others].join(', ') };
  };

  const find = (method: string, path: string): Found => {
    const found = match(method, path);
    if (found.kind !== 'nothing' || !path.endsWith('/')) return found;
    return match(method, withoutTrailingSlash(path)).kind === 'nothing' ? nothing : trailingSlash;
  };

  return { inner, find };
};

export const withoutTrailingSlash = (path: string): string => path.replace(/\/+$/, '');

/** Pairs of routes that can answer the same request, which are in the order of `routes`. */
export const overlapsOf = (routes: readonly Route[]): (readonly [earlier: Route, later: Route])[] => {
  const root = node();
  return routes.flatMap((route) => {
    const found = meeting(root, split(route.path), 0, route.method);
    addRoute(root, route);
    return found.map((earlier) => [earlier.route, route] as const);
  });
};

/** Endpoints that answer some request of this pattern. */
const meeting = (from: Node, pattern: readonly string[], at: number, method: string): Endpoint[] => {
  const own = (endpoints?: Endpoints): Endpoint[] => [endpoints?.get(method) ?? []].flat();
  const segment = pattern[at];
  if (segment === undefined) return own(from.endpoints);
  const isAny = segment === REST || isParameter(segment);
  const literals = isAny
    ? [...from.literals].flatMap(([name, next]) => (segment === REST || isName(name) ? [next] : []))
    : [from.literals.get(segment) ?? []].flat();
  const nexts = from.parameter && (isAny || isName(segment)) ? [...literals, from.parameter] : literals;
  const below = nexts.flatMap((next) =>
    segment === REST
      ? [...own(next.endpoints), ...meeting(next, pattern, at, method)]
      : meeting(next, pattern, at + 1, method),
  );
  return [...below, ...own(from.rest)];
};

const addRoute = (root: Node, route: Route): void => {
  requireSlash(route.path);
  const segments = split(route.path);
  const hasRest = segments.at(-1) === REST;
  let end = root;
  for (const segment of hasRest ? segments.slice(0, -1) : segments) {
    if (segment === REST) throw new Error(`a rest ends a path, got ${JSON.stringify(route.path)}`);
    const next = (isParameter(segment) ? end.parameter : end.literals.get(segment)) ?? node();
    if (isParameter(segment)) end.parameter = next;
    else end.literals.set(segment, next);
    end = next;
  }
  const names = segments.flatMap((segment, at) => (isParameter(segment) ? [[segment.slice(1), at] as const] : []));
  if (hasRest) names.push([REST, segments.length - 1]);
  const endpoints = hasRest ? (end.rest ??= new Map()) : end.endpoints;
  if (endpoints.has(route.method)) return;
  endpoints.set(route.method, { route, names, found: { kind: 'route', route, params: {} } });
};

const requireSlash = (path: string): void => {
  if (!path.startsWith('/')) throw new Error(`a path must start with a slash, got ${JSON.stringify(path)}`);
};

/** Undefined if a segment is not valid percent-encoded UTF-8. */
const segmentsOf = (path: string): string[] | undefined => {
  const segments = split(path);
  if (!path.includes('%')) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
};

/** The segments after the first slash. Three times as fast as `String.split`, and every request needs it. */
const split = (path: string): string[] => {
  const segments: string[] = [];
  let start = 1;
  for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', start)) {
    segments.push(path.slice(start, slash));
    start = slash + 1;
  }
  segments.push(path.slice(start));
  return segments;
};

const seek = (from: Node, segments: readonly string[], at: number, method: string): Endpoint | undefined => {
  if (at === segments.length) return from.endpoints.get(method);
  const segment = segments[at]!;
  const literal = from.literals.get(segment);
  const endpoint = literal && seek(literal, segments, at + 1, method);
  if (endpoint !== undefined) return endpoint;
  const bound = from.parameter && isName(segment) ? seek(from.parameter, segments, at + 1, method) : undefined;
  return bound ?? from.rest?.get(method);
};

const methodsAt = (from: Node, segments: readonly string[], at: number): string[] => {
  if (at === segments.length) return [...from.endpoints.keys()];
  const segment = segments[at]!;
  const nexts = [from.literals.get(segment), isName(segment) ? from.parameter : undefined];
  const below = nexts.flatMap((next) => (next === undefined ? [] : methodsAt(next, segments, at + 1)));
  return from.rest === undefined ? below : [...below, ...from.rest.keys()];
};

/** A parameter may end up in a file name or a URL, so names with a special meaning there are refused. */
export const isName = (segment: string): boolean =>
  segment !== '' && segment !== '.' && segment !== '..' && !segment.includes('/') && !segment.includes('\0');

const bind = ({ route, names }: Endpoint, segments: readonly string[]): Found => {
  const params: Record<string, string> = {};
  for (const [name, at] of names) params[name] = name === REST ? segments.slice(at).join('/') : segments[at]!;
  return { kind: 'route', route, params };
};
