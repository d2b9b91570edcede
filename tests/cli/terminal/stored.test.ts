/** How stored executions look, where a server cannot be made to have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spell } from '../../../cli/terminal/spell.ts';
import { exportOf, nextOf, tableOf } from '../../../cli/terminal/stored.ts';
import type { JournalEntry, Summary } from '../../../runtime/index.ts';

const summary: Summary = {
  id: 'e1',
  owner: 'ada',
  workflow: 'bank',
  version: '1',
  status: 'oauth_required',
  startedAt: 0,
  settledAt: null,
  dueAt: 60_000,
};

test('secrets of an owner are not exported', () => {
  const entries: JournalEntry[] = [
    {
      type: 'oauth.requested',
      call: 0,
      id: 'state',
      provider: 'bank',
      authUrl: 'https://bank/state',
      dueAt: null,
      seq: 1,
      at: 1,
    },
    { type: 'oauth.granted', id: 'state', seq: 2, at: 2 },
    {
      type: 'interaction.answered',
      id: 'i',
      answer: { kind: 'text', text: 'hi' },
      by: 'ada',
      key: 'my key',
      seq: 3,
      at: 3,
    },
  ];

  const text = JSON.stringify(exportOf(summary, { entries, truncatedThrough: 0 }));

  for (const secret of ['state', 'my key']) assert.ok(!text.includes(`"${secret}`), text);
  assert.ok(text.includes('"bank"') && text.includes('"hi"'));
});

test('a name cannot break a table, or steer a terminal', () => {
  const table = tableOf([{ ...summary, owner: 'a\nb\u001b[2J' }], 0);

  assert.equal(table.split('\n').length, 3);
  assert.ok(!table.includes('\u001b'));
});

test('what is overdue is said to be, and so is what will not happen by itself', () => {
  assert.equal(nextOf(summary, 0), 'due in 1 min');
  assert.equal(nextOf(summary, 120_000), 'due since 1 min');
  assert.equal(nextOf({ ...summary, settledAt: 0 }, 0), 'forgotten in 1 min');
  assert.equal(nextOf({ ...summary, dueAt: null }, 0), '-');
});

test('a stretch of time has its two largest units', () => {
  const spelled = [-1, 0, 12, 1_000, 61_500, 3_600_000, 90_000_000, 8 * 86_400_000].map(spell);

  assert.deepEqual(spelled, ['0 ms', '0 ms', '12 ms', '1 s', '1 min 1 s', '1 h', '1 d 1 h', '8 d']);
});
