/** `docs/errors.md` and the code say the same about every error, both ways. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fermata from '../../runtime/index.ts';
import { type ExecutionErrorCode, Failure, type FailureCode, failures } from '../../runtime/index.ts';
import { failureReply } from '../../server/http/problems.ts';
import { codeIn, readPage } from '../support/markdown.ts';

const page = await readPage('docs/errors.md');
const codes = Object.keys(failures) as FailureCode[];

test('every code has a row, and every row a code, with its status and its meaning', () => {
  const rows = page.rows('Code', 'Status', 'Retry', 'Meaning', 'What to do');
  const told = rows.map(([code, status, retry, meaning]) => [codeIn(code), status, retry, meaning]);

  const known = codes.map((code) => {
    const { retryable, message } = failures[code];
    return [code, String(failureReply(new Failure(code)).status), retryable ? 'yes' : 'no', message];
  });

  assert.deepEqual(told, known);
});

test('every row says what to do', () => {
  for (const [code, , , , advice = ''] of page.rows('Code', 'Status', 'Retry', 'Meaning', 'What to do')) {
    assert.ok(advice.length > 10, code);
  }
});

test('the example is what a client gets', () => {
  const [example] = page.blocks.filter(({ info }) => info === 'json').map(({ code }) => JSON.parse(code));
  const failure = new Failure(example.code, { detail: example.detail, retryAfterMs: 1_000 });

  const { body, headers } = failureReply(failure);

  assert.deepEqual(JSON.parse(String(body)), example);
  assert.equal(headers?.['content-type'], 'application/problem+json');
});

test('every reason for which an execution may fail has a row, and every row is one', () => {
  const reasons = {
    workflow_error: true,
    cancelled: true,
    abandoned: true,
    interrupted: true,
    build_failed: true,
    journal_full: true,
    defect: true,
  } satisfies Record<ExecutionErrorCode, true>;

  const told = page.rows('Code', 'The execution ended because').map(([code]) => codeIn(code));

  assert.deepEqual(told, Object.keys(reasons));
});

test('every class of errors that the page names is exported', () => {
  const named = [...page.text.matchAll(/`(\w+Error)\b/g)].map(([, name]) => name!);
  assert.ok(named.length > 3);

  for (const name of named) assert.ok(name in fermata, name);
});
