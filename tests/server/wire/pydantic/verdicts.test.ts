/**
 * Bodies made at random, and what pydantic says of them. `verdicts.jsonl` was written by pydantic 2.13.4, with models that have the
 * fields, types and rules of NAT's; `kind` is the model. A refusal lists all mistakes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Lab, startLab } from '../../../lab/lab.ts';

type Kind = 'chat' | 'text' | 'model' | 'sum' | 'answer';
interface Verdict {
  readonly kind: Kind;
  readonly body: unknown;
  /** Absent for a body that fits. */
  readonly detail?: unknown;
  /** What pydantic makes of an order. */
  readonly value?: { readonly n: number; readonly tags: unknown; readonly loud: boolean; readonly mode: string };
}

const verdicts = readFileSync(new URL('verdicts.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Verdict);

const places: Readonly<Record<Kind, readonly [profile: string, path: string]>> = {
  chat: ['chat', '/v1/chat'],
  text: ['text', '/v1/workflow'],
  model: ['model', '/v1/workflow'],
  sum: ['endpoints', '/extra/sum'],
  answer: ['text', '/executions/none/interactions/none/response'],
};

const labs = new Map<string, Lab>();
before(async () => {
  for (const profile of new Set(Object.values(places).map(([name]) => name)))
    labs.set(profile, await startLab(profile));
});
after(() => Promise.all([...labs.values()].map((lab) => lab.close())));

const send = async ({ kind, body }: Verdict) => {
  const [profile, path] = places[kind];
  const reply = await fetch(`${labs.get(profile)?.base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

for (const kind of Object.keys(places) as Kind[]) {
  test(`of random bodies of the kind ${kind} the same are refused as by NAT, for the same reasons`, async () => {
    const those = verdicts.filter((verdict) => verdict.kind === kind);
    assert.ok(those.length > 10);

    for (const verdict of those) {
      const { status, body } = await send(verdict);

      const about = JSON.stringify(verdict.body);
      if (verdict.detail !== undefined) assert.deepEqual([status, body.detail], [422, verdict.detail], about);
      else
        assert.ok(!(status === 422 && Array.isArray(body.detail)) && status < 500, `${about}: ${JSON.stringify(body)}`);
      if (verdict.value === undefined || status !== 200) continue;
      assert.deepEqual([body.n, body.tags], [verdict.value.n, verdict.value.tags], about);
      assert.equal(String(body.answer).endsWith('!'), verdict.value.loud, about);
    }
  });
}
