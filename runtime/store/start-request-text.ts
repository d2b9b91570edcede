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

export const writeOrigin = (origin: Origin, seal: Seal | undefined): string => {
  const { recover, version, retentionMs, names, request: asked } = origin;
  const request = asked && writeRequest(asked, seal);
  const written = { recover, version, retentionMs, names, request } satisfies Record<keyof Origin, unknown>;
  return JSON.stringify(written);
};

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
  const { method, path, scheme, port, pathParams, client } = info;
  const payload = toJsonOrNull(info.payload); // an embedding program may start runs at any depth
  const [headers, secret] = divided(info.headers, PLAIN_HEADERS);
  const [query, secretQuery] = divided(info.query, PLAIN_QUERY);
  const isSecret = secret !== undefined || secretQuery !== undefined;
  const sealed =
    seal !== undefined && isSecret
      ? seal.close(JSON.stringify({ secret: secret ?? {}, cookies: info.cookies, query: secretQuery ?? {} }))
      : undefined;
  return { method, path, scheme, port, headers, query, pathParams, client, payload, sealed };
};

const divided = (
  all: Texts,
  plain: ReadonlySet<string>,
): [kept: Record<string, string>, secret: Record<string, string> | undefined] => {
  const kept: Record<string, string> = {};
  let secret: Record<string, string> | undefined;
  for (const name in all) {
    if (plain.has(name)) kept[name] = all[name]!;
    else (secret ??= {})[name] = all[name]!;
  }
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
