/** The history of a stored execution, line by line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyOf } from '../../../cli/terminal/history.ts';
import type { ExecutionContext, JournalEntry, Summary } from '../../../runtime/index.ts';

const summary: Summary = {
  id: 'e1',
  owner: 'ada',
  workflow: 'bank',
  version: '1',
  status: 'running',
  startedAt: 0,
  settledAt: null,
  dueAt: null,
};
const context = { pauses: [], blocked: null } as unknown as ExecutionContext;
const started = {
  type: 'execution.started',
  workflow: 'bank',
  owner: 'ada',
  form: null,
  input: { amount: 12 },
} as const;

const linesOf = (facts: readonly object[]): string[] => {
  const entries = facts.map((fact, index) => ({ ...fact, seq: index + 1, at: index * 1_000 }) as JournalEntry);
  const [, journal = ''] = historyOf(summary, context, { entries, truncatedThrough: 0 }, 9_000).split('Journal\n');
  return journal.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/^ +\d+ +\S+(?: s)? +/, '')]));
};

test('a line says what the fact names, and the value that it brings', () => {
  const lines = linesOf([
    started,
    { type: 'step.started', call: 1, name: 'pay' },
    { type: 'step.completed', call: 1, value: { receipt: 7 } },
    { type: 'step.started', call: 2, name: 'send' },
    { type: 'step.failed', call: 2, name: 'Error', message: 'no such host' },
    { type: 'interaction.answered', id: 'secret-id', answer: { kind: 'text', text: 'yes' }, by: 'bob', key: 'my key' },
    { type: 'sleep.started', call: 3, id: 's', dueAt: 60_000 },
    { type: 'oauth.refused', id: 'state', reason: 'access_denied' },
    { type: 'output.restarted', step: 2 },
    { type: 'execution.completed', result: 'done' },
  ]);

  assert.deepEqual(lines, [
    'execution.started by ada: {"amount":12}',
    'step.started pay',
    'step.completed pay: {"receipt":7}',
    'step.started send',
    'step.failed send: no such host',
    'interaction.answered yes, by bob',
    'sleep.started until 1970-01-01T00:01:00.000Z',
    'oauth.refused access_denied',
    'output.restarted send',
    'execution.completed "done"',
  ]);
});

test('a long value is cut, and nothing that it says can steer a terminal', () => {
  const [line = ''] = linesOf([{ ...started, owner: null, input: `\u001b[2J${'x'.repeat(500)}` }]);

  assert.ok(line.length < 200 && !line.includes('\u001b'), line);
});
