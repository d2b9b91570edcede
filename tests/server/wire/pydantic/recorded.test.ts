/** The recorded refusals of NAT, read by our readers alone: no server, no workflow. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { jsonSchemaOf } from '../../../../runtime/index.ts';
import { ValidationFailure, validationReply } from '../../../../server/http/mistakes.ts';
import { readJsonBody } from '../../../../server/wire/json-body.ts';
import { createReader } from '../../../../server/wire/pydantic/reader.ts';
import { matchExpectation, type Seen } from '../../../conformance/expectations.ts';
import { type PlayedStep, readDeviations, readRecordings, scenarioOf } from '../../../conformance/scenarios.ts';
import { messageInput, modelInput, textInput } from '../../../lab/workflows.ts';

const answerInput = z.object({
  response: z.discriminatedUnion('type', [
    z.object({ type: z.literal('text'), text: z.string() }),
    z.object({ type: z.literal('notification'), text: z.string() }),
  ]),
});

const read = (schema: z.ZodType) => createReader(schema, jsonSchemaOf(schema));

const readers = {
  text: read(textInput),
  model: read(modelInput),
  message: read(messageInput),
  answer: read(answerInput),
};

type Order = { path: string; json?: unknown; text?: string; headers?: Record<string, string> };

const answerTo = async ({ path, json, text, headers = {} }: Order, profile: string): Promise<Seen> => {
  const body = json === undefined ? text : JSON.stringify(json);
  const contentType = headers['content-type'] ?? (body === undefined ? undefined : 'application/json');
  const reader = readers[(path.includes('/interactions/') ? 'answer' : profile) as keyof typeof readers];
  const refusal = (entries: Parameters<typeof validationReply>[0]): Seen => ({
    status: 422,
    headers: { 'content-type': ['application/json'] },
    json: JSON.parse(JSON.stringify(validationReply(entries))),
  });
  try {
    const reading = await reader(readJsonBody(contentType, body === undefined ? undefined : Buffer.from(body)));
    return reading.issues ? refusal(reading.issues) : { status: 200 };
  } catch (failure) {
    assert.ok(failure instanceof ValidationFailure);
    return refusal(failure.entries);
  }
};

/** Whether a body is accepted is ours to say here; what the workflow makes of it is not. */
const isRefusal = ({ accepted }: PlayedStep): boolean => accepted.some(({ status }) => status === 422);

const covered = /^validation\/|^workflow-single\/(model|either)|^interactions\/(malformed|no-body)$/;

for (const recording of readRecordings().filter(({ name }) => covered.test(name))) {
  test(`the bodies of ${recording.name} are refused or taken as they were by NAT`, async () => {
    const [course = []] = scenarioOf(recording, readDeviations()).courses;
    const posts = course.filter(({ action, order }) => action === 'request' && (order as { method?: string }).method);

    assert.ok(posts.length > 0);

    for (const step of posts) {
      const seen = await answerTo(step.order as Order, recording.profile);

      const accepted = isRefusal(step) ? step.accepted : [{ status: 200 }];
      const outcomes = accepted.map((expected) => matchExpectation(expected, seen, {}).differences);
      assert.ok(
        outcomes.some((differences) => differences.length === 0),
        JSON.stringify(outcomes[0]),
      );
    }
  });
}
