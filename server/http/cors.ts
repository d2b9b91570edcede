/**
 * Which pages of other origins may use the server (Fetch standard, "CORS protocol"). The server never refuses a request
 * for its origin. It only omits the header without which the browser hides the reply from the page.
 */
import type { Reply } from './route.ts';

/** Null is the default, as in NAT's configuration. */
export interface CorsOptions {
  /** Origins, e.g. `https://app.example`, or `*` for any. Default none. */
  allowOrigins?: readonly string[] | null;
  /** A regular expression that must match the whole origin. Default none. */
  allowOriginRegex?: string | null;
  /** Methods, or `*` for any. Default: those of our routes if any origin is allowed, else GET. */
  allowMethods?: readonly string[] | null;
  /** Request headers besides the safelisted ones and our own, or `*` for any. Default none. */
  allowHeaders?: readonly string[] | null;
  /** Whether requests may have cookies. Default false. */
  allowCredentials?: boolean | null;
  /** Response headers that a page may read besides our own (`execution-id`: see `Cors.exposes`). Default none. */
  exposeHeaders?: readonly string[] | null;
  /** Seconds for which a browser may cache a preflight reply. Default 600. */
  maxAgeS?: number | null;
}

export type HeaderLines = readonly (readonly [name: string, value: string])[];

type Preflight = { readonly origin: string; readonly method: string; readonly headers: string | undefined };

/** Headers that a page of an allowed origin may always send and read, because it needs them. */
const ownRequestHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'conversation-id',
  'idempotency-key',
  'last-event-id',
  'prefer',
  'user-message-id',
  'workflow-parent-id',
  'workflow-parent-name',
  'workflow-run-id',
  'workflow-trace-id',
  'x-api-key',
  'x-as-operator',
  'x-operator-key',
]);
const ownReplyHeaders: readonly string[] = [
  'execution-id',
  'execution-seq',
  'idempotent-replayed',
  'location',
  'observability-trace-id',
  'preference-applied',
  'retry-after',
  'www-authenticate',
  'content-disposition',
];

/** Request headers of clients that know our headers. NAT's clients send none of them. */
const ownClientHeaders = ['prefer', 'idempotency-key'] as const;
/** NAT's clients do not know `execution-id`: if a configuration lists readable headers, they get exactly that list. */
const listedReplyHeaders: readonly string[] = ownReplyHeaders.filter((name) => name !== 'execution-id');

/** The header lines of a reply that contains some of `exposed`. */
export const withExposed = (
  lines: HeaderLines,
  exposed: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): HeaderLines => {
  const own = exposed.filter((name) => Object.hasOwn(headers, name));
  if (own.length === 0) return lines;
  const isExposing = ([name]: HeaderLines[number]): boolean => name === 'access-control-expose-headers';
  const listed = lines.find(isExposing)?.[1];
  const missing = own.filter((name) => listed?.toLowerCase().split(', ').includes(name) !== true);
  const names = listed === undefined ? missing : [listed, ...missing];
  return [...lines.filter((line) => !isExposing(line)), ['access-control-expose-headers', names.join(', ')]];
};

export interface Cors {
  allows(origin: string): boolean;
  /** Our headers that a page of this origin may read in the reply to a request with these headers. */
  exposes(origin: string, headers: Readonly<Record<string, string>>): readonly string[];
  /** Header lines for any reply except a preflight's. `''` when the request has no origin. */
  linesFor(origin: string): HeaderLines;
  preflight(request: Preflight): Reply;
}

/** The methods of our routes. */
const ownMethods = ['DELETE', 'GET', 'HEAD', 'POST', 'PUT'];
const everyMethod = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
const safelisted = ['Accept', 'Accept-Language', 'Content-Language', 'Content-Type'];

/** Undefined without an objection. With both settings, any page could act with the cookies of its visitors. */
export const corsFault = ({ allowOrigins, allowOriginRegex, allowCredentials }: CorsOptions): string | undefined => {
  if (!allowCredentials) return undefined;
  const pattern = allowOriginRegex == null ? undefined : new RegExp(`^(?:${allowOriginRegex})$`);
  const isAny = allowOrigins?.includes('*') || STRANGERS.some((origin) => pattern?.test(origin));
  return isAny
    ? 'lets pages of any origin call with cookies; list the origins, or set allow_credentials to false'
    : undefined;
};

/** Origins that are not listed. */
const STRANGERS = ['https://xn--q7x2k9.invalid', 'http://xn--q7x2k9.invalid:8123', 'null'];

/** Throws a SyntaxError for an invalid `allowOriginRegex`. */
export const createCors = (options: CorsOptions): Cors => {
  const origins = new Set(options.allowOrigins ?? []);
  const pattern = options.allowOriginRegex == null ? undefined : new RegExp(`^(?:${options.allowOriginRegex})$`);
  const isOpen = origins.size > 0 || pattern !== undefined;
  const configured = options.allowMethods ?? (isOpen ? ownMethods : ['GET']);
  const methods = configured.includes('*') ? everyMethod : configured;
  const anyHeader = (options.allowHeaders ?? []).includes('*');
  const headers = [...new Set([...safelisted, ...(options.allowHeaders ?? [])])].sort();
  const lowerCaseHeaders = new Set(headers.map((name) => name.toLowerCase()));
  const credentials = options.allowCredentials ?? false;
  const exposed = options.exposeHeaders ?? [];

  const anyOrigin = origins.has('*');
  // With cookies, a browser does not accept `*`. The reply then names the origin itself, as for a list of origins.
  const answersAll = anyOrigin && !credentials;
  const varies = !answersAll && isOpen;
  const isAllowed = (origin: string): boolean => anyOrigin || origins.has(origin) || pattern?.test(origin) === true;

  const vary: HeaderLines = varies ? [['vary', 'Origin']] : [];
  const withCredentials: HeaderLines = credentials ? [['access-control-allow-credentials', 'true']] : [];
  const always: HeaderLines = [
    ...(answersAll ? [['access-control-allow-origin', '*'] as const] : []),
    ...withCredentials,
    ...(exposed.length > 0 ? [['access-control-expose-headers', exposed.join(', ')] as const] : []),
    ...vary,
  ];
  const preflightLines: HeaderLines = [
    ['content-type', 'text/plain; charset=utf-8'],
    ...vary,
    ['access-control-allow-methods', methods.join(', ')],
    ['access-control-max-age', String(options.maxAgeS ?? 600)],
    ...withCredentials,
  ];

  const linesFor = (origin: string): HeaderLines => {
    if (origin === '') return vary;
    return answersAll || !isAllowed(origin) ? always : [['access-control-allow-origin', origin], ...always];
  };

  const preflight = ({ origin, method, headers: asked }: Preflight): Reply => {
    const names = asked?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
    const failures = [
      ...(isAllowed(origin) ? [] : ['origin']),
      ...(methods.includes(method) ? [] : ['method']),
      ...(anyHeader ||
      names.every((name) => lowerCaseHeaders.has(name) || (isAllowed(origin) && ownRequestHeaders.has(name)))
        ? []
        : ['headers']),
    ];
    const lines: Record<string, string> = Object.fromEntries(preflightLines);
    if (isAllowed(origin)) lines['access-control-allow-origin'] = answersAll ? '*' : origin;
    const own = isAllowed(origin)
      ? names.filter((name) => ownRequestHeaders.has(name) && !lowerCaseHeaders.has(name))
      : [];
    if (!anyHeader) lines['access-control-allow-headers'] = [...headers, ...own].join(', ');
    else if (asked !== undefined) lines['access-control-allow-headers'] = asked;
    return failures.length === 0
      ? { status: 200, headers: lines, body: 'OK' }
      : { status: 400, headers: lines, body: `Disallowed CORS ${failures.join(', ')}` };
  };

  const exposes: Cors['exposes'] = (origin, headers) => {
    if (origin === '' || !isAllowed(origin)) return [];
    const knowsOurs = exposed.length === 0 || ownClientHeaders.some((name) => Object.hasOwn(headers, name));
    return knowsOurs ? ownReplyHeaders : listedReplyHeaders;
  };

  return { allows: isAllowed, exposes, linesFor, preflight };
};
