/**
 * Reads the data of a request for its run. These are NAT's `set_metadata_from_http_request` and its sibling, as
 * functions that return their result instead of setting it. So the data belongs to one run only.
 */
import { randomUUID } from 'node:crypto';
import type { RequestInfo, Trace } from '../authoring/context.ts';
import { noRequest } from '../journal/start-request.ts';

export interface RunMetadata {
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: TraceOrigin;
}

/** The origin of a trace, as far as the request names it. */
export type TraceOrigin = { readonly [Key in keyof Trace]?: Trace[Key] | undefined };

/** A request, as far as it is known. */
export type PartialRequest = { readonly [Key in keyof RequestInfo]?: RequestInfo[Key] | undefined };

/**
 * Reads `conversation-id`, `user-message-id`, `traceparent`, `workflow-trace-id`, `workflow-run-id`,
 * `workflow-parent-id` and `workflow-parent-name`. Empty or malformed values count as absent.
 */
export const metadataFromHttpRequest = (request: PartialRequest): RunMetadata => {
  const { headers = {} } = request;
  return {
    conversationId: headers['conversation-id'] || undefined,
    userMessageId: headers['user-message-id'] || undefined,
    request: requestInfo(request),
    trace: traceFromHeaders(headers),
  };
};

/**
 * The same for a run that a socket message has started. The ids come from the message. The headers of the handshake
 * provide no ids and no trace, because they would be the same for all runs of the socket.
 */
export const metadataFromWebSocket = (
  handshake: PartialRequest,
  message: { readonly conversationId?: string | undefined; readonly userMessageId?: string | undefined } = {},
): RunMetadata => ({
  conversationId: message.conversationId,
  userMessageId: message.userMessageId,
  request: requestInfo({ ...handshake, method: null }),
  trace: {},
});

const requestInfo = (request: PartialRequest): RequestInfo => {
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  return { ...noRequest, ...Object.fromEntries(given) };
};

export const traceFromHeaders = (headers: RequestInfo['headers']): TraceOrigin => ({
  traceId: fromTraceparent(headers.traceparent) ?? fromUuid(headers['workflow-trace-id']),
  runId: headers['workflow-run-id'] || undefined,
  parentId: headers['workflow-parent-id'] || null,
  parentName: headers['workflow-parent-name'] || null,
});

const HEX = /^[0-9a-f]{32}$/;

/** An id of zeros is invalid (W3C Trace Context, 3.2.2.3). */
const traceIdOf = (text: string | undefined): string | undefined => {
  const id = text?.toLowerCase() ?? '';
  return HEX.test(id) && !/^0+$/.test(id) ? id : undefined;
};

/** Version, span id and flags are ignored, as on NAT. */
const fromTraceparent = (header: string | undefined): string | undefined => {
  const parts = header?.split('-') ?? [];
  return parts.length >= 4 ? traceIdOf(parts[1]) : undefined;
};

/** The forms that NAT's parser of UUIDs accepts: bare, hyphenated, in braces, or as a URN. */
const fromUuid = (header: string | undefined): string | undefined =>
  traceIdOf(header?.replace(/^urn:uuid:/i, '').replace(/[{}-]/g, ''));

/** The trace of one run. Missing ids are created on first use. */
export class RunTrace implements Trace {
  readonly parentId: string | null;
  readonly parentName: string | null;
  #traceId: string | undefined;
  #runId: string | undefined;

  constructor({ traceId, runId, parentId = null, parentName = null }: TraceOrigin) {
    this.#traceId = traceId;
    this.#runId = runId;
    this.parentId = parentId;
    this.parentName = parentName;
  }

  get traceId(): string {
    this.#traceId ??= randomUUID().replaceAll('-', '');
    return this.#traceId;
  }

  get runId(): string {
    this.#runId ??= randomUUID();
    return this.#runId;
  }
}
