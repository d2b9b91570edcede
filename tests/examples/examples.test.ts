/** The examples, each on every path that it may take. */
import assert from 'node:assert/strict';
import hello from '../../examples/01-hello.ts';
import approval from '../../examples/02-approval.ts';
import publication from '../../examples/03-parallel-prompts.ts';
import whoAmI from '../../examples/04-oauth.ts';
import notebook from '../../examples/05-per-user.ts';
import '../../examples/08-report.test.ts';
import { testWorkflow } from '../../testing/index.ts';

testWorkflow(hello, { inputs: [{ name: 'Ada' }] });

testWorkflow(approval, {
  inputs: [{ amount: 1_200 }],
  check: ({ status, choices, result }) => {
    const isApproved = choices.some((choice) => choice.endsWith('yes'));
    if (status === 'completed') assert.deepEqual(result, { approved: isApproved });
  },
});

testWorkflow(publication, { inputs: [{ title: 'Waiting' }] });

// The provider of the example does not know the token of the kit: granted or not, the run fails, and fails alike.
testWorkflow(whoAmI, { providers: ['demo'] });

testWorkflow(notebook, {
  inputs: [{ note: 'one' }],
  same: ({ result }) => (result as { notes: number }).notes, // each play has a file of its own
  // A step that has ended and could not be stored is done again: then the note is in the file twice.
  cuts: ['killed', 'hibernated'],
});
