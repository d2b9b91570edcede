/** What has to come of a play, also if its process was killed on the way. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ExecutionEvent, JournalEntry } from '../../../machines/facts.ts';
import type { ExecutionView } from '../../../runtime/index.ts';
import { OUTCOMES } from '../plan-run.ts';
import { closing, type Note } from './planned-run.ts';
import { expectedAfter, isParked, type PlannedExecution } from './round.ts';

/** It stands where the plan ends. */
export const verifyState = (
  { plan, stop }: PlannedExecution,
  execution: ExecutionView,
  journal: readonly JournalEntry[],
): void => {
  const expected = expectedAfter(plan, plan.facts.length);
  const before = expectedAfter(plan, stop);
  const { pauses, steps, result, error } = execution.context;
  assert.deepEqual(
    { kinds: pauses.map(({ kind }) => kind), steps, isSettled: execution.isSettled },
    { kinds: expected.open.map(({ kind }) => kind), steps: expected.steps, isSettled: expected.end !== 'live' },
  );
  if (expected.end === 'completed') assert.equal(result, 'done');
  if (expected.end === 'failed') assert.equal(error?.code, plan.failing === 'thrown' ? 'workflow_error' : 'cancelled');
  const recoveries = journal.filter(({ type }) => type === 'execution.recovered').length;
  const wasLost = before.end === 'live' && !isParked(before);
  // A run that was resumed when all its branches waited may have been at it.
  const wasResumed = journal.some(({ type }) => type === 'execution.resumed');
  if (!wasResumed || recoveries > 1)
    assert.equal(recoveries, wasLost ? 1 : 0, 'it is executed again if it was executed, or waited for a slot');
  verifyJournal(journal, plan.facts, before.steps);
  verifyDeadlines(journal);
};

/** Nothing is there twice, and nothing is missing; a step that had not ended was begun again. */
const verifyJournal = (
  journal: readonly JournalEntry[],
  facts: readonly ExecutionEvent[],
  begunSteps: number,
): void => {
  const calls = new Set<number>();
  let again = 0;
  const told = journal.filter((entry) => {
    if (entry.type !== 'step.started') return isOfPlan(entry);
    if (calls.has(entry.call)) again += 1;
    return !calls.has(entry.call) && calls.add(entry.call);
  });
  assert.deepEqual(
    told.map(({ type }) => type),
    ['execution.started', ...facts.filter(isOfPlan).map(({ type }) => type)],
  );
  assert.equal(again <= begunSteps, true, 'only a step that had not ended is begun again');
};

/** When a slot is free, and when a run parks, depends on who is there. */
const isOfPlan = ({ type }: ExecutionEvent | JournalEntry): boolean =>
  !['slot.granted', 'execution.parked', 'execution.recovered', 'execution.resumed'].includes(type);

/** A moment for those that are due in the same one. */
const LATE_MS = 900;

const verifyDeadlines = (journal: readonly JournalEntry[]): void => {
  for (const { type, at, ...entry } of journal) {
    if (!type.endsWith('.expired') && type !== 'sleep.elapsed') continue;
    const opened = journal.find((other) => 'call' in other && 'id' in other && 'id' in entry && other.id === entry.id);
    const late = at - (opened as { dueAt: number }).dueAt;
    assert.ok(late >= 0 && late <= LATE_MS, `${type} came ${late} ms after its time`);
  }
};

export const notesOf = (file: string): Map<string, Note[]> => {
  const notes = new Map<string, Note[]>();
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const note = JSON.parse(line) as Note;
    const noted = notes.get(note.play);
    if (noted === undefined) notes.set(note.play, [note]);
    else noted.push(note);
  }
  return notes;
};

/** What its runs have heard and done, in both lives. */
export const verifyNotes = ({ plan, stop }: PlannedExecution, notes: readonly Note[]): void => {
  const end = expectedAfter(plan, plan.facts.length).end;
  for (const [index, fact] of plan.facts.entries()) {
    const heard = notes.filter((note) => note.index === index && note.what === 'heard').map(({ value }) => value);
    assert.ok(new Set(heard).size <= 1, `call ${index} gave ${heard}`);
    if (fact.type === 'step.started') {
      const began = notes.filter((note) => note.index === index && note.what === 'began').length;
      const wasOpen = index < stop && expectedAfter(plan, stop).steps > 0;
      assert.ok(began <= (wasOpen ? 2 : 1), `the step was done ${began} times`);
    }
    if (!('call' in fact && 'id' in fact) || end !== 'live') continue;
    const closed = closing(plan, fact.id, index);
    if (closed !== undefined) assert.deepEqual([...new Set(heard)], [OUTCOMES[`${fact.id} ${closed.type}`]]);
  }
};
