/** A server with a workflow that takes anything and one with a schema, and requests to them as exact bytes. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { text, workflow } from '../../runtime/index.ts';
import { given, type ServerWorld } from './given.ts';
import { type RawReply, rawRequest } from './http.ts';

const open = workflow({ name: 'open', run: (input: unknown) => ({ got: typeof input }) });
const strict = workflow({
  name: 'strict',
  input: z.object({
    amount: z.number(),
    tags: z.array(z.string()).optional(),
    more: z.record(z.string(), z.unknown()).optional(),
  }),
  run: async ({ amount }, ctx) => (await ctx.prompt(text({ text: `Pay ${amount}?` }))).text,
});

/** `POST /v1/workflow` takes anything, `/strict` has a schema and asks. */
export const givenStrictServer = (t: TestContext): Promise<ServerWorld> =>
  given.server(t, {
    workflow: open,
    workflows: [strict],
    config: {
      monitorUsers: true,
      endpoints: [{ functionName: 'strict', method: 'POST', path: '/strict', legacyPath: '/strict/legacy' }],
    },
  });

export const rawPost = (path: string, body: string | Buffer, headers: readonly string[] = []): string => {
  const bytes = Buffer.from(body).toString('latin1');
  const own = ['Content-Type: application/json', `Content-Length: ${bytes.length}`];
  return rawRequest(`POST ${path}`, [...own, ...headers], bytes);
};

/** An execution that has asked, and the path for the answer. */
export const startPrompting = async ({ call }: ServerWorld): Promise<string> =>
  ((await call('POST /strict', { body: { amount: 1 } })).body as { response_url: string }).response_url;

/** A refusal that says what is wrong: JSON with words in it. */
export const assertClearRefusal = ({ status, headers, body }: RawReply, what: string): void => {
  assert.ok(status >= 400 && status < 500, `${what}: ${status} ${body}`);
  assert.match(headers['content-type'] ?? '', /json/, what);
  assert.ok(JSON.stringify(JSON.parse(body).detail).length > 4, what);
};
