/** What no route shows yet: outputs of streams, and steps. */

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { createRuntime, type JournalEntry, type Workflow } from '../../runtime/index.ts';
import { start } from '../support/start.ts';
import { labChat, labRecords, labStream, labText } from './workflows.ts';

const nobody = { userId: undefined };

/** Runs a workflow to its end. */
const run = async (t: TestContext, workflow: Workflow, input: unknown): Promise<readonly JournalEntry[]> => {
  const runtime = await createRuntime({ workflows: [workflow] });
  t.after(() => runtime.stop());
  const { execution } = await start(runtime, {
    workflow: workflow.name,
    input,
    by: nobody,
    interactive: false,
    streaming: true,
  });
  await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
  return (await runtime.facts(execution.id, 0, nobody))?.entries ?? [];
};

const outputs = (entries: readonly JournalEntry[]): unknown[] =>
  entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.value] : []));

test('a workflow that streams gives an output for each command, up to the one that fails', async (t) => {
  const whole = await run(t, labStream, { cmd: 'echo:a;echo:;echo:b:c' });
  const broken = await run(t, labRecords, { cmd: 'echo:a;fail:too late;echo:b' });

  assert.deepEqual(outputs(whole), ['a', '', 'b:c']);
  assert.deepEqual(outputs(broken), [{ text: 'a', index: 0 }]);
  const end = broken.at(-1);
  assert.deepEqual(end?.type === 'execution.failed' && end.error, {
    code: 'workflow_error',
    message: 'too late',
    name: 'LabError',
  });
});

test('a chat that streams gives chunks of text, of a tool call, with a finish reason and with usage', async (t) => {
  const content = 'echo:a;chunk-tool:{"a":1};chunk-finish:length;chunk-finish:boredom;chunk-usage';

  const chunks = outputs(await run(t, labChat, { messages: [{ role: 'user', content }] }));

  const seen = (chunks as { choices: { delta: object; finish_reason: unknown }[]; usage: unknown }[]).map(
    ({ choices: [choice], usage }) => [choice?.delta, choice?.finish_reason, usage],
  );
  const text = (words: string) => ({ content: words, role: null, tool_calls: null });
  const call = { index: 0, id: 'call-1', type: 'function', function: { name: 'lab-tool', arguments: '{"a":1}' } };
  assert.deepEqual(seen, [
    [text('a'), null, null],
    [{ content: null, role: null, tool_calls: [call] }, null, null],
    [text(''), 'length', null],
    [text(''), null, null],
    [text(''), null, { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }],
  ]);
});

test('steps are told in their order and under their fixed ids, between those of the run itself', async (t) => {
  const entries = await run(t, labText, { cmd: 'steps' });

  const steps = entries.flatMap((entry) =>
    entry.type === 'trace.emitted' ? [[entry.step.event, entry.step.id, entry.step.chunk ?? entry.step.output]] : [],
  );
  const events = steps.map(([event]) => event);
  assert.deepEqual(events.slice(0, 2), ['WORKFLOW_START', 'FUNCTION_START']);
  assert.deepEqual(events.slice(-2), ['FUNCTION_END', 'WORKFLOW_END']);
  assert.deepEqual(steps.slice(2, -2), [
    ['LLM_START', 'llm-1', undefined],
    ['LLM_NEW_TOKEN', 'llm-1', 'four'],
    ['LLM_NEW_TOKEN', 'llm-1', 'teen'],
    ['LLM_END', 'llm-1', 'fourteen'],
    ['TOOL_START', 'tool-1', undefined],
    ['TOOL_END', 'tool-1', 'plain text'],
    ['CUSTOM_START', 'custom-1', undefined],
    ['CUSTOM_END', 'custom-1', 'out'],
  ]);
});
