import assert from 'node:assert/strict';
import test from 'node:test';
import { type Deviation, type Recording, readDeviations, readRecordings, scenarioOf } from './scenarios.ts';

const recording: Recording = {
  name: 'topic/one',
  profile: 'text',
  why: 'An example.',
  steps: [{ id: 'first', request: { path: '/a' }, expect: { status: 200 } }, { sleep: 1 }],
};

const deviation = (more: Partial<Deviation>): Deviation => ({
  scenario: 'topic/one',
  class: 'required',
  defects: ['B01'],
  why: 'It was wrong.',
  ...more,
});

const change = { step: 'first', nat: { status: 200 }, ours: { status: 404 } };
const steps = [{ request: { path: '/b' }, expect: { status: 204 } }];

test('a scenario without deviations is played as it was recorded', () => {
  const scenario = scenarioOf(recording, [deviation({ scenario: 'topic/other', changes: [change] })]);

  assert.deepEqual(scenario, {
    name: 'topic/one',
    profile: 'text',
    courses: [
      [
        { id: 'first', action: 'request', order: { path: '/a' }, accepted: [{ status: 200 }] },
        { action: 'sleep', order: 1, accepted: [] },
      ],
    ],
  });
});

test('a required change replaces what was recorded, an allowed one stands before it', () => {
  const acceptedIf = (kind: Deviation['class']) =>
    scenarioOf(recording, [deviation({ class: kind, changes: [change] })]).courses[0]?.[0]?.accepted;

  assert.deepEqual(acceptedIf('required'), [{ status: 404 }]);
  assert.deepEqual(acceptedIf('allowed'), [{ status: 404 }, { status: 200 }]);
});

test('a required course replaces the recorded one, an allowed one is tried before it', () => {
  const pathsIf = (kind: Deviation['class']) =>
    scenarioOf(recording, [deviation({ class: kind, steps })]).courses.map((course) => course[0]?.order);

  assert.deepEqual(pathsIf('required'), [{ path: '/b' }]);
  assert.deepEqual(pathsIf('allowed'), [{ path: '/b' }, { path: '/a' }]);
});

test('recordings have names of their own and every deviation is about something recorded', () => {
  const recordings = readRecordings();
  const byName = new Map(recordings.map((each) => [each.name, each]));

  assert.equal(byName.size, recordings.length);
  for (const { scenario, changes = [], steps: course } of readDeviations()) {
    assert.ok(byName.has(scenario), `${scenario} was not recorded`);
    assert.ok(course || changes.length > 0, `the deviation of ${scenario} changes nothing`);
    for (const { step, nat } of changes) {
      const recorded = byName.get(scenario)?.steps.find(({ id }) => id === step);
      assert.deepEqual(recorded?.expect, nat, `step ${step} of ${scenario}`);
    }
  }
});
