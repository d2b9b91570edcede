/** The bodies of answers: what the runtime gets, and what is refused. NAT's own forms are in the recorded scenarios. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Response } from '../../../../runtime/index.ts';
import { ValidationFailure } from '../../../../server/http/mistakes.ts';
import type { Call } from '../../../../server/http/route.ts';
import { interactionRoutes } from '../../../../server/nat/routes/interactions.ts';

/** The response that the runtime gets for a body, or the entries of its refusal. */
const read = async (response: unknown): Promise<unknown> => {
  let got: Response | undefined;
  const answer = async (_execution: string, _interaction: string, given: Response) => {
    got = given;
    return 'accepted';
  };
  const [route] = interactionRoutes({ runtime: { answer }, who: () => ({ userId: 'alice' }) } as never);
  const call = {
    params: { executionId: 'e', interactionId: 'i' },
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ response })),
  };
  try {
    await route!.handle(call as unknown as Call);
  } catch (thrown) {
    if (!(thrown instanceof ValidationFailure)) throw thrown;
    return thrown.entries.map(({ type, loc }) => `${type} ${loc.join('.')}`);
  }
  return got;
};

test('the tag may be named as in the documentation of NAT', async () => {
  assert.deepEqual(await read({ input_type: 'text', text: 'this' }), { kind: 'text', text: 'this' });
  assert.deepEqual(await read({ type: 'text', input_type: 'radio', text: 'this' }), { kind: 'text', text: 'this' });
  assert.deepEqual(await read({ input_type: 'poem' }), ['union_tag_invalid body.response']);
});

test('an option is known by its id, or by its value if the client has filled in the word default', async () => {
  const picked = (selected_option: unknown, type = 'radio') => read({ type, selected_option });

  assert.deepEqual(await picked({ id: 'a', value: 'b' }), { kind: 'radio', picks: [{ id: 'a' }] });
  assert.deepEqual(await picked({ id: 'default', value: 'b' }), { kind: 'radio', picks: [{ value: 'b' }] });
  assert.deepEqual(await picked({ value: 7 }, 'binary_choice'), { kind: 'binary_choice', picks: [{ value: 7 }] });
  assert.deepEqual(await picked({ value: 7 }), ['string_type body.response.radio.selected_option.value']);
  assert.deepEqual(await picked({}), { kind: 'radio', picks: [{ id: 'default' }] });
});

test('a checkbox takes one option or a list of them, and needs one of the two', async () => {
  const one = { selected_option: { id: 'a' } };
  const many = { selected_options: [{ id: 'a' }, { id: 'b' }] };
  const type = 'checkbox';

  assert.deepEqual(await read({ type, ...one }), { kind: type, picks: [{ id: 'a' }] });
  assert.deepEqual(await read({ type, ...many }), { kind: type, picks: [{ id: 'a' }, { id: 'b' }] });
  assert.deepEqual(await read({ type, ...one, selected_options: null }), { kind: type, picks: [{ id: 'a' }] });
  assert.deepEqual(await read({ type, selected_options: [] }), { kind: type, picks: [] });
  assert.deepEqual(await read({ type }), ['missing body.response.checkbox.selected_option']);
  assert.deepEqual(await read({ type, selected_options: [{ id: 'a' }, 'b'] }), [
    'model_attributes_type body.response.checkbox.selected_options.1',
  ]);
});

test('only a checkbox takes a list', async () => {
  assert.deepEqual(await read({ type: 'radio', selected_options: [{ id: 'a' }] }), [
    'missing body.response.radio.selected_option',
  ]);
});

test('a notification is acknowledged without a text', async () => {
  assert.deepEqual(await read({ type: 'notification' }), {
    kind: 'notification',
    text: 'Notification acknowledgement.',
  });
  assert.deepEqual(await read({ type: 'text' }), ['missing body.response.text.text']);
});
