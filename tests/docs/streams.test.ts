/** The page about streams lists the events that there are, with their members. */
import assert from 'node:assert/strict';
import test from 'node:test';
import hello from '../../examples/01-hello.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import { FactFrames } from '../../server/api/execution-stream.ts';
import { createWire } from '../../server/wire/bodies.ts';
import { everyFact } from '../support/execution-model.ts';
import { given } from '../support/given.ts';
import { codeIn, readPage } from '../support/markdown.ts';

const page = await readPage('docs/streams.md');

test('every event on the page is sent with the members it names, and no other is sent', async (t) => {
  const { start, runtime } = await given.runtime(t, { workflows: [hello] });
  const execution = await start({ input: { name: 'Ada' } });
  const [started] = (await runtime.journal(execution, 0))?.entries ?? [];
  const facts: JournalEntry[] = [started!, ...everyFact.map((fact, at) => ({ ...fact, seq: at + 2 }))];
  const frames = new FactFrames(createWire('', [hello]), execution);

  const sent = new Map<string, string>();
  for (const fact of facts) {
    const [, event, data] = /^id: \d+\nevent: (\S+)\ndata: (.*)\n\n$/.exec(frames.frames(fact)) ?? [];
    if (event === undefined || data === undefined) continue;
    const { at, ...members } = JSON.parse(data);
    assert.equal(typeof at, 'string');
    sent.set(event, Object.keys(members).join(' '));
  }

  const rows = page.rows('Event', 'Members', 'What has happened');
  const told = rows.map(([event, members = '']) => [
    codeIn(event),
    [...members.matchAll(/`(\w+)`/g)].map(([, name]) => name).join(' '),
  ]);
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(sent));
});
