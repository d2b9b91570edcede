/** Forbidden actions, tried by every caller that could. */

import assert from 'node:assert/strict';
import { type Caller, Failure, type FailureCode, type Runtime, text } from '../../runtime/index.ts';
import { alice, bob } from './callers.ts';
import { immediate } from './in-process.ts';
import { callbackUrl, keyOf, type PlanDriver, reply, untilSettled } from './plan-driver.ts';
import type { PlanRun } from './plan-run.ts';

/** Tries whatever people, strangers and the run itself could, and may not where the execution stands. */
export const tryForbiddenActions = async (stage: PlanRun): Promise<void> => {
  const { driver: play, world, expected } = stage;
  const { end, open } = expected;
  const { runtime } = world;
  const { executionId } = play;
  const isKnown = end !== 'expiring' && end !== 'gone';
  const refused = (call: Promise<unknown>, code: FailureCode) =>
    assert.rejects(call, (thrown) => Failure.from(thrown).code === code);
  const unknownState = async (id: string, by: Caller) => {
    const { outcome } = await runtime.completeOAuth(
      callbackUrl(new URLSearchParams({ state: id, code: 'code-1' })),
      by,
    );
    assert.equal(outcome, 'unknown_state');
  };

  for (const [name, id] of [...play.ids, ['nothing', 'never-asked'] as const]) {
    const opened = open.find((pause) => pause.id === name);
    const isPrompt = name.startsWith('p');
    if (!isKnown) await refused(runtime.answer(executionId, id, reply, alice), 'execution_not_found');
    else if (isPrompt && opened) {
      await refused(runtime.answer(executionId, id, { kind: 'radio', picks: [{ id: 'a' }] }, alice), 'answer_invalid');
      await refused(runtime.answer(executionId, id, { kind: 'text', text: ' ' }, alice), 'answer_invalid');
    } else {
      assert.equal(await runtime.answer(executionId, id, reply, alice), isPrompt ? 'already_answered' : 'not_open');
      const again = await runtime.answer(executionId, id, reply, alice, keyOf(id));
      assert.equal(again === 'accepted', stage.closedBy(name) === 'interaction.answered', 'only said twice');
    }
    await refused(runtime.answer(executionId, id, reply, bob), 'execution_not_found');
    await unknownState(id, opened?.kind === 'oauth' ? bob : alice);
  }
  await refused(runtime.cancel(executionId, bob), 'execution_not_found');
  assert.deepEqual(
    [immediate(runtime.get(executionId, bob)), await runtime.facts(executionId, 0, bob)],
    [undefined, undefined],
  );
  if (end === 'live') return;
  await refused(runtime.cancel(executionId, alice), isKnown ? 'execution_settled' : 'execution_not_found');
  await tryCallsAfterEnd(play, runtime);
};

/** The run does not know that its execution is over, and goes on. */
const tryCallsAfterEnd = async (play: PlanDriver, runtime: Runtime): Promise<void> => {
  play.handOverSlot();
  if (play.run === undefined) return;
  const { ctx, complete, fail } = play.run;
  const ended = { name: 'AbortError' };
  const step = () => assert.fail('the step was done');
  for (const call of [
    () => ctx.prompt(text({ text: 'Anybody?' })),
    () => ctx.notify('Hello?'),
    () => ctx.authorize('bank'),
    () => ctx.sleep(1),
    () => ctx.step('pay', step),
  ]) {
    await assert.rejects(call, ended);
  }
  ctx.emit('a part');
  ctx.now();
  ctx.span('TOOL', 'tool').end();
  ctx.observe('trace-2');
  assert.equal(ctx.signal.aborted, true);
  complete('done again');
  fail(new Error('failed again'));
  await untilSettled(runtime);
};
