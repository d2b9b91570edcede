/** `node --import tsx --test examples/08-report.test.ts` tests every path of a report, with a crash at each point. */
import assert from 'node:assert/strict';
import { testWorkflow } from 'fermata/testing';
import report from './08-report.ts';

testWorkflow(report, {
  inputs: [{ topics: ['rain', 'snow'] }],
  check: ({ status, choices, result }) => {
    if (status !== 'completed') return;
    const given = choices.join(' & ');
    const approved = ['rain', 'snow'].filter((topic) => given.includes(`${topic} go out?" yes`));
    assert.deepEqual(result, { sent: approved.map((topic) => `All about ${topic}.`).join(' ') });
  },
});
