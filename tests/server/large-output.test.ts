/** One large output arrives whole, as large as a journal takes it, at readers who are there and keep up. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { openStream } from '../support/event-reader.ts';
import { given } from '../support/given.ts';

/** More than half of what a journal holds: there is no room in it for such an output and for the result, which is the same again. */
const LARGE = 'x'.repeat(3_500_000);

const large = workflow({
  name: 'large',
  async *run() {
    yield 'first';
    yield LARGE;
    yield 'last';
  },
});

const chat = { messages: [{ role: 'user', content: 'x' }], stream: true };
const places: readonly [string, (t: TestContext) => Promise<{ readonly server: { readonly url: string } }>][] = [
  ['in memory', (t) => given.server(t, { workflow: large })],
];

for (const [place, open] of places) {
  for (const path of ['/v1/workflow/stream', '/generate/full', '/v1/chat/completions']) {
    test(`an output of 3.5 MB arrives whole on ${path}, executions being ${place}`, async (t) => {
      const { server } = await open(t);

      const reader = await openStream(t, server.url + path, { method: 'POST', body: chat });
      await reader.ended;

      const said = [...reader.text.matchAll(/first|x{1000,}|last/g)].map(([text]) => text.length);
      assert.deepEqual(said.slice(0, 3), ['first'.length, LARGE.length, 'last'.length]);
      assert.doesNotMatch(reader.text, /"code"|event: (error|truncated)/);
    });
  }
}
