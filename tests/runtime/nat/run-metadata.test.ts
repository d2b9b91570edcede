/** What is read from the headers of a request: NAT's cases, and where we read them otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataFromHttpRequest, metadataFromWebSocket, RunTrace, traceFromHeaders } from '../../../runtime/index.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';
const UUID = '0af76519-16cd-43dd-8448-eb211c80319c';
const OTHER = 'ffffffffffffffffffffffffffffff01';

const traceIds: Record<string, { headers: Record<string, string>; traceId: string | undefined }> = {
  'a traceparent': { headers: { traceparent: `00-${ID}-00f067aa0ba902b7-01` }, traceId: ID },
  'a traceparent in upper case': {
    headers: { traceparent: `00-${ID.toUpperCase()}-00F067AA0BA902B7-01` },
    traceId: ID,
  },
  'a traceparent with a bad span id': { headers: { traceparent: `00-${ID}-nonsense-01` }, traceId: ID },
  'a traceparent with parts to come': {
    headers: { traceparent: `cc-${ID}-00f067aa0ba902b7-01-what-the` },
    traceId: ID,
  },
  'a traceparent with too few parts': { headers: { traceparent: `00-${ID}-00f067aa0ba902b7` }, traceId: undefined },
  'a traceparent of 31 digits': {
    headers: { traceparent: `00-${ID.slice(1)}-00f067aa0ba902b7-01` },
    traceId: undefined,
  },
  'a traceparent that is not hexadecimal': {
    headers: { traceparent: `00-${'z'.repeat(32)}-0-01` },
    traceId: undefined,
  },
  'a traceparent of zeros': { headers: { traceparent: `00-${'0'.repeat(32)}-0-01` }, traceId: undefined },
  'a workflow-trace-id': { headers: { 'workflow-trace-id': ID }, traceId: ID },
  'a workflow-trace-id as UUID': { headers: { 'workflow-trace-id': UUID }, traceId: ID },
  'a workflow-trace-id as URN': { headers: { 'workflow-trace-id': `urn:uuid:${UUID}` }, traceId: ID },
  'a workflow-trace-id of 33 digits': { headers: { 'workflow-trace-id': `${ID}0` }, traceId: undefined },
  'a workflow-trace-id of -1': { headers: { 'workflow-trace-id': '-1' }, traceId: undefined },
  'a workflow-trace-id of zeros': { headers: { 'workflow-trace-id': '0'.repeat(32) }, traceId: undefined },
  'both, and the traceparent counts': {
    headers: { traceparent: `00-${ID}-0-01`, 'workflow-trace-id': OTHER },
    traceId: ID,
  },
  'a broken traceparent beside a workflow-trace-id': {
    headers: { traceparent: `00-${ID.slice(1)}-0-01`, 'workflow-trace-id': OTHER },
    traceId: OTHER,
  },
  'a traceparent of zeros beside a workflow-trace-id': {
    headers: { traceparent: `00-${'0'.repeat(32)}-0-01`, 'workflow-trace-id': OTHER },
    traceId: OTHER,
  },
  'two that are broken': { headers: { traceparent: 'x-x-x-x', 'workflow-trace-id': 'x' }, traceId: undefined },
  nothing: { headers: {}, traceId: undefined },
};

for (const [what, { headers, traceId }] of Object.entries(traceIds)) {
  test(`a request with ${what} ${traceId === undefined ? 'begins a trace of its own' : 'continues a trace'}`, () => {
    assert.equal(traceFromHeaders(headers).traceId, traceId);
  });
}

test('ids are read from the headers of a request, each alone and all together', () => {
  const headers = {
    'conversation-id': 'c1',
    'user-message-id': 'm1',
    'workflow-run-id': 'any text',
    'workflow-parent-id': 'p1',
    'workflow-parent-name': 'caller',
  };

  for (const [name, value] of Object.entries(headers)) {
    assert.deepEqual(idsOf({ [name]: value }), { ...idsOf({}), [name]: value });
  }
  assert.deepEqual(idsOf(headers), headers);
});

test('an empty header counts as absent', () => {
  const names = Object.keys(idsOf({}));

  assert.deepEqual(idsOf(Object.fromEntries(names.map((name) => [name, '']))), idsOf({}));
});

/** What was read, by the header that says it. */
const idsOf = (headers: Record<string, string>) => {
  const { conversationId, userMessageId, trace } = metadataFromHttpRequest({ headers });
  return {
    'conversation-id': conversationId,
    'user-message-id': userMessageId,
    'workflow-run-id': trace.runId,
    'workflow-parent-id': trace.parentId ?? undefined,
    'workflow-parent-name': trace.parentName ?? undefined,
  };
};

const request = {
  method: 'POST',
  path: '/v1/workflow',
  scheme: 'http',
  port: 8000,
  headers: { host: 'localhost:8000' },
  query: { verbose: '1' },
  pathParams: { id: '7' },
  cookies: { 'nat-session': 's' },
  client: { host: '127.0.0.1', port: 50_000 },
  payload: { amount: 1 },
};
const unknownRequest = {
  method: null,
  path: null,
  scheme: null,
  port: null,
  headers: {},
  query: {},
  pathParams: {},
  cookies: {},
  client: null,
  payload: undefined,
};

test('a request is told as far as it is known, and one without client address is no mistake', () => {
  assert.deepEqual(metadataFromHttpRequest(request).request, request);
  assert.deepEqual(metadataFromHttpRequest({}).request, unknownRequest);
  assert.deepEqual(metadataFromHttpRequest({ client: undefined, method: 'GET' }).request, {
    ...unknownRequest,
    method: 'GET',
  });
});

test('a run from a socket has the ids of its message, and the headers of the handshake tell none', () => {
  const headers = { 'conversation-id': 'c0', traceparent: `00-${ID}-0-01`, 'workflow-parent-id': 'p0' };

  const metadata = metadataFromWebSocket({ ...request, headers }, { conversationId: 'c1', userMessageId: 'm1' });

  assert.deepEqual(metadata, {
    conversationId: 'c1',
    userMessageId: 'm1',
    request: { ...request, headers, method: null },
    trace: {},
  });
});

test('a trace makes missing ids once', () => {
  const trace = new RunTrace({ parentId: 'p1' });

  assert.match(trace.traceId, /^[0-9a-f]{32}$/);
  assert.equal(trace.traceId, trace.traceId);
  assert.equal(trace.runId, trace.runId);
  assert.notEqual(new RunTrace({}).runId, trace.runId);
  assert.deepEqual([trace.parentId, trace.parentName], ['p1', null]);
});
