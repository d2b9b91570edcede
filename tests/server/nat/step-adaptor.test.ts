import assert from 'node:assert/strict';
import test from 'node:test';
import type { TraceStep } from '../../../runtime/index.ts';
import type { StepAdaptorOptions } from '../../../server/nat/options.ts';
import { AdaptedSteps } from '../../../server/nat/step-adaptor.ts';
import { rawSteps } from '../../../server/nat/steps.ts';

const NOW = 1_700_000_000_500;

const step = (event: string, more: Partial<TraceStep> = {}): TraceStep => {
  return { id: 'step-1', parentId: 'parent-1', functionId: 'function-1', event, name: 'it', ...more };
};

const adapted = (mode: StepAdaptorOptions['mode'] = 'default', customEventTypes: string[] = []) =>
  new AdaptedSteps({ mode, customEventTypes });

test('a model is shown with its input, and with the text that it has given so far', () => {
  const steps = adapted();
  const shown = [
    step('LLM_START', { input: 'a < b' }),
    step('LLM_NEW_TOKEN', { chunk: 'one ' }),
    step('LLM_NEW_TOKEN', { chunk: '& two' }),
    step('LLM_END', { output: 'one & two' }),
  ].map((each) => steps.show(each, NOW));

  const input = '**Input:**\n```python\na &lt; b\n```';
  assert.deepEqual(
    shown.map((each) => each?.payload),
    [
      input,
      `${input}\n\n**Output:**\none `,
      `${input}\n\n**Output:**\none &amp; two`,
      `${input}\n\n**Output:**\none &amp; two`,
    ],
  );
  assert.deepEqual(
    { ...shown[0], payload: '' },
    {
      id: 'step-1',
      parent_id: 'function-1',
      type: 'markdown',
      name: 'it',
      payload: '',
    },
  );
});

test('a tool is shown with its name, its input and its output', () => {
  const steps = adapted();
  steps.show(step('TOOL_START', { input: { a: 1 } }), NOW);

  const shown = steps.show(step('TOOL_END', { output: 'text' }), NOW);

  assert.equal(shown?.name, 'Tool: it');
  assert.equal(shown?.payload, '**Input:**\n```json\n{"a":1}\n```\n\n**Output:**\n```python\ntext\n```');
});

test('a function that ends is shown with its input again', () => {
  const shown = adapted().show(step('FUNCTION_END', { input: "{'a': 1}", output: undefined }), NOW);

  assert.equal(shown?.name, 'Function Complete: it');
  assert.equal(shown?.payload, "**Function Input:**\n```json\n{'a': 1}\n```**Function Output:**\n```python\nNone\n```");
});

test('a step whose beginning was not seen is not shown, nor is an ended one', () => {
  const steps = adapted();
  assert.equal(steps.show(step('LLM_END', { output: 'late' }), NOW), undefined);
  steps.show(step('TOOL_START'), NOW);
  steps.show(step('TOOL_END'), NOW);

  assert.equal(steps.show(step('TOOL_END'), NOW), undefined);
});

test('which events are shown is said by the mode', () => {
  const events = [
    'LLM_START',
    'TOOL_START',
    'FUNCTION_START',
    'CUSTOM_START',
    'WORKFLOW_START',
    'TASK_START',
    'SPAN_START',
  ];
  const shownIn = (steps: AdaptedSteps) => events.filter((event) => steps.show(step(event), NOW) !== undefined);

  assert.deepEqual(shownIn(adapted()), ['LLM_START', 'TOOL_START', 'FUNCTION_START']);
  assert.deepEqual(shownIn(adapted('off')), []);
  assert.deepEqual(shownIn(adapted('custom', ['CUSTOM_START', 'LLM_START', 'TASK_START'])), [
    'LLM_START',
    'CUSTOM_START',
  ]);
});

test('a custom step is one line in a fence', () => {
  const shown = adapted('custom', ['CUSTOM_END']).show(step('CUSTOM_END', { output: 'two\nlines' }), NOW);

  assert.equal(shown?.name, 'CUSTOM_END');
  assert.match(shown?.payload ?? '', /^```json\n[^\n]*two[^\n]*lines[^\n]*\n```$/);
});

test('ten thousand tokens and ten thousand steps are shown in a multiple of their length, not in its square', () => {
  const steps = adapted();
  const count = 10_000;
  let shown = 0;
  const show = (each: TraceStep): void => {
    shown += steps.show(each, NOW)?.payload.length ?? 0;
  };

  show(step('LLM_START', { input: 'q' }));
  for (let token = 0; token < count; token += 1) show(step('LLM_NEW_TOKEN', { chunk: 'word ' }));
  show(step('LLM_END', { output: 'word '.repeat(count) }));
  assert.ok(shown < 25 * count * 'word '.length, `${shown} characters`);

  shown = 0;
  for (let each = 0; each < count; each += 1) show(step('TOOL_START', { id: `tool-${each}`, input: 'q' }));
  for (let each = 0; each < count; each += 1) show(step('TOOL_END', { id: `tool-${each}`, output: 'a' }));
  assert.ok(shown < 100 * count, `${shown} characters`);
});

test('only the newest unfinished steps are remembered', () => {
  const steps = adapted();
  for (let each = 0; each <= 1_000; each += 1) steps.show(step('TOOL_START', { id: `tool-${each}` }), NOW);

  assert.equal(steps.show(step('TOOL_END', { id: 'tool-0' }), NOW), undefined);
  assert.ok(steps.show(step('TOOL_END', { id: 'tool-1' }), NOW));
});

test('a raw step tells all there is as JSON, and what it is below', () => {
  const shown = rawSteps(undefined).show(step('WORKFLOW_START', { input: { a: 1 }, metadata: { run: 'r' } }), NOW);

  assert.equal(shown?.parent_id, 'parent-1');
  assert.equal(shown?.type, 'WORKFLOW_START');
  const payload = JSON.parse(shown?.payload ?? '');
  assert.equal(payload.event_timestamp, 1_700_000_000.5);
  assert.deepEqual(payload.data, { input: { a: 1 }, output: null, chunk: null, payload: null });
  assert.deepEqual(payload.metadata.provided_metadata, { run: 'r' });
  assert.equal(JSON.parse(rawSteps(undefined).show(step('LLM_END'), NOW)?.payload ?? '').metadata, null);
});

test('raw steps are filtered by names that are taken as they are', () => {
  const passes = (filter: string | undefined, event: string) => rawSteps(filter).show(step(event), NOW) !== undefined;

  assert.ok(passes(undefined, 'LLM_END') && passes('', 'LLM_END') && passes('LLM_END,TOOL_END', 'TOOL_END'));
  assert.ok(!passes('None', 'LLM_END') && !passes('LLM_END, TOOL_END', 'TOOL_END') && !passes('llm_end', 'LLM_END'));
});
