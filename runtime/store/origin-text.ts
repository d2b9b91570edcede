/** What an execution was started with, as text: for a store, and for the run that goes on after it was read again. */
import type { RequestInfo } from '../context.ts';
import type { Origin, RunRequest } from '../origin.ts';
import { toJsonOrNull } from '../to-json.ts';
import type { Seal } from './seal.ts';

/** Headers that say who somebody is: they are only kept where they can be sealed. */
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'x-operator-key'];

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
  const { method, path, scheme, port, query, pathParams, client } = info;
  const payload = toJsonOrNull(info.payload); // it is of any depth where a program of its own starts runs
  const headers: Record<string, string> = {};
  const secret: Record<string, string> = {};
  for (const name in info.headers) (SECRET_HEADERS.includes(name) ? secret : headers)[name] = info.headers[name]!;
  const isSealed = seal !== undefined && Object.keys(secret).length > 0;
  const sealed = isSealed ? seal.close(JSON.stringify({ secret, cookies: info.cookies })) : undefined;
  return { method, path, scheme, port, headers, query, pathParams, client, payload, sealed };
};

type Written = ReturnType<typeof writeRequest>;

export type StoredOrigin = Omit<Origin, 'request'> & { readonly request?: Written };

export const readOrigin = ({ request, ...origin }: StoredOrigin, input: unknown, seal: Seal | undefined): Origin => {
  return { ...origin, request: request && readRequest(request, input, seal) };
};

const readRequest = ({ request, ...asked }: Written, input: unknown, seal: Seal | undefined) => {
  const { sealed, headers, ...info } = request;
  const opened = sealed === undefined ? undefined : seal?.open(sealed);
  const { secret, cookies } = opened === undefined ? { secret: {}, cookies: {} } : JSON.parse(opened);
  const read = { ...info, headers: { ...headers, ...secret }, cookies } as RequestInfo;
  return { ...asked, input, request: read } as RunRequest;
};
