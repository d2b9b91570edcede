/** What programs without a type checker get wrong in what they give to `createServer` and `createHandler`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { createHandler, createServer, type HandlerSetup, type ServerSetup } from '../../server/index.ts';

const hello = workflow({ name: 'hello', run: () => 'hello' });
const config = { port: 0, host: '127.0.0.1' };

const mistakes: Readonly<Record<string, [setup: unknown, message: RegExp]>> = {
  'no setup': [undefined, /^Expected an object such as \{ workflow \}, got undefined\.$/],
  'no workflow': [{ config }, /^workflow: expected what workflow\(\{ name, run \}\) gives, got undefined\.$/],
  'a function': [{ workflow: () => 'hello', config }, /^workflow: expected what workflow\(.*got a function\.$/],
  'a plain object': [{ workflow: { name: 'x', run: () => 1 }, config }, /^workflow: .* got an object\.$/],
  'a module': [{ workflow: { default: hello }, config }, /^workflow: .* got a module: its default export is one\.$/],
  'a further one that is none': [{ workflow: hello, workflows: [{}], config }, /^workflows\[0\]: expected what/],
  'no list': [{ workflow: hello, workflows: hello, config }, /^workflows: expected a list, got an object\.$/],
  'a setting beside config': [{ workflow: hello, port: 8080 }, /^port is a setting: write config: \{ port \}\.$/],
  'a slip': [{ workflow: hello, confg: {} }, /^There is no option confg\. There are workflow, workflows, config, /],
  'a slip in config': [{ workflow: hello, config: { ...config, prot: 1 } }, /^config: there is no setting prot\.$/],
  'a port that is a text': [
    { workflow: hello, config: { port: '8080' } },
    /^config\.port: expected a whole number.* got "8080"\.$/,
  ],
  'a port that is none': [
    { workflow: hello, config: { port: 70_000 } },
    /^config\.port: .*from 0 to 65535, got 70000\.$/,
  ],
  'another adapter': [
    { workflow: hello, config: { ...config, adapter: 'bun' } },
    /^config\.adapter: expected uws or node, got "bun"\.$/,
  ],
  'a root path without slash': [
    { workflow: hello, config: { ...config, rootPath: 'api' } },
    /^config\.rootPath: .*"\/api".* got "api"\.$/,
  ],
  'a log that is a level': [
    { workflow: hello, log: 'debug', config },
    /^log: expected an object with debug, info, warn and error, got "debug"\.$/,
  ],
};

for (const [what, [setup, message]] of Object.entries(mistakes)) {
  test(`${what} is refused by its name`, async () => {
    for (const create of [createServer, createHandler]) {
      const server = create(setup as ServerSetup & HandlerSetup);
      await assert.rejects(
        server.then((opened) => opened.close()),
        (error: Error & { code?: string }) => {
          assert.match(error.message, message);
          return error.code === 'options_invalid';
        },
      );
    }
  });
}

test('a slash at the end of the root path does not count', async (t) => {
  const server = await createServer({ workflow: hello, config: { ...config, rootPath: '/api/' } });
  t.after(() => server.close());

  assert.match(server.url, /\/api$/);
  const { workflows } = (await (await fetch(`${server.url}/workflows`)).json()) as { workflows: { path: string }[] };
  assert.equal(workflows[0]!.path, '/api/v1/workflow');
});

test('a clock, a random source and settings that are undefined are no mistakes', async (t) => {
  const handler = await createHandler({
    workflow: hello,
    clock: undefined,
    config: { ...config, dataSecret: undefined, adapter: undefined },
  } as unknown as HandlerSetup);
  t.after(() => handler.close());

  assert.equal((await handler(new Request('http://a/health'))).status, 200);
});
