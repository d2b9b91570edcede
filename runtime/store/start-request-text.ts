/** A start request as text: for a store, and for a replay after it was read again. */
import type { RequestInfo } from '../authoring/context.ts';
import type { Origin, RunRequest } from '../journal/start-request.ts';
import { toJsonOrNull } from '../json.ts';
import type { Seal } from './seal.ts';

/**
 * Values that are stored unencrypted. Any other may be a credential, whatever its name (`x-auth-token`, `?session=`).
 * It is encrypted, or not stored without a key.
 */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control', 'connection'],
  ...[
    'content-encoding',
    'content-language',
    'content-length',
    'content-type',
    'host',
    'origin',
    'prefer',
    'user-agent',
  ],
  ...['traceparent', 'conversation-id', 'user-message-id', 'workflow-trace-id', 'workflow-run-id'],
  ...['workflow-parent-id', 'workflow-parent-name'],
]);
const PLAIN_QUERY: ReadonlySet<string> = new Set(['conversation_id', 'after', 'wait', 'filter_steps', 'on_disconnect']);

type Texts = Readonly<Record<string, string>>;

export const writeOrigin = ({ request, ...origin }: Origin, seal: Seal | undefined): string =>
  JSON.stringify({ ...origin, request: request && writeRequest(request, seal) });

const writeRequest = (asked: RunRequest, seal: Seal | undefined) => {
  const { by, conversationId, userMessageId, interactive, streaming, functionName, recordsSteps, trace } = asked;
  const { traceId, runId, parentId, parentName } = trace;
  return {
    by: { userId: by.userId, isOperator: by.isOperator },
    conversationId,
    userMessageId,
    interactive,
    streaming,
    functionName,
    recordsSteps,
    trace: { traceId, runId, parentId, parentName },
    request: writeInfo(asked.request, seal),
  };
};

const writeInfo = (info: RequestInfo, seal: Seal | undefined) => {
  const { method, path, scheme, port, pathParams, client, cookies } = info;
  const payload = toJsonOrNull(info.payload); // an embedding program may start runs at any depth
  const [headers, secret] = divided(info.headers, PLAIN_HEADERS);
  const [query, secretQuery] = divided(info.query, PLAIN_QUERY);
  const isSealed = seal !== undefined && Object.keys(secret).length + Object.keys(secretQuery).length > 0;
  const sealed = isSealed ? seal.close(JSON.stringify({ secret, cookies, query: secretQuery })) : undefined;
  return { method, path, scheme, port, headers, query, pathParams, client, payload, sealed };
};

const divided = (
  all: Texts,
  plain: ReadonlySet<string>,
): [kept: Record<string, string>, secret: Record<string, string>] => {
  const [kept, secret]: [Record<string, string>, Record<string, string>] = [{}, {}];
  for (const name in all) (plain.has(name) ? kept : secret)[name] = all[name]!;
  return [kept, secret];
};

type Written = ReturnType<typeof writeRequest>;

export type StoredOrigin = Omit<Origin, 'request'> & { readonly request?: Written };

export const readOrigin = ({ request, ...origin }: StoredOrigin, input: unknown, seal: Seal | undefined): Origin => {
  return { ...origin, request: request && readRequest(request, input, seal) };
};

const readRequest = ({ request, ...asked }: Written, input: unknown, seal: Seal | undefined) => {
  const { sealed, headers, ...info } = request;
  const opened = sealed === undefined ? undefined : seal?.open(sealed);
  const { secret, cookies, query }: Record<string, Texts | undefined> = opened === undefined ? {} : JSON.parse(opened);
  const read = {
    ...info,
    headers: { ...headers, ...secret },
    query: { ...info.query, ...query },
    cookies: cookies ?? {},
  } as RequestInfo;
  return { ...asked, input, request: read } as RunRequest;
};
