import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { freePort } from '../support/loopback.ts';

const given = {
  /** `npm run lab`, without npm. */
  lab: (t: TestContext, ...typed: string[]) => {
    const main = `${import.meta.dirname}/main.ts`;
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...typed], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    return { child, printed: text(child.stdout), complained: text(child.stderr), exit: exitOf(child) };
  },
};

const exitOf = async (child: ChildProcess): Promise<number | null> => (await once(child, 'exit'))[0];

test('the lab says where it listens, answers, and ends well on a signal while a prompt is open', async (t) => {
  const { child, printed, complained, exit } = given.lab(t, '--profile', 'text', '--port', '0');
  const [line] = await once(child.stdout, 'data');
  const [, base] = /^lab text listens on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line)) ?? [];
  const asked = await fetch(`${base}/v1/workflow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"cmd":"ask-text"}',
  });

  child.kill('SIGTERM');

  assert.equal(asked.status, 202);
  assert.equal(await exit, 0);
  assert.equal(await printed, String(line));
  assert.equal(await complained, '');
});

test('a consent in the lab comes back to the port on which the lab listens', async (t) => {
  const port = await freePort();
  const { child } = given.lab(t, '--profile', 'oauth', '--port', String(port));
  await once(child.stdout, 'data');

  const asked = await fetch(`http://127.0.0.1:${port}/v1/workflow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: 'nat-session=somebody' },
    body: '{"cmd":"oauth"}',
  });

  const { auth_url: url } = (await asked.json()) as { auth_url: string };
  assert.equal(new URL(url).searchParams.get('redirect_uri'), `http://localhost:${port}/auth/redirect`);
});

test('who asks for a profile that there is not is told which there are', async (t) => {
  const { printed, complained, exit } = given.lab(t, '--profile', 'texts');

  assert.equal(await exit, 2);
  assert.equal(await printed, '');
  assert.match(await complained, /texts.* text, model, .* per-user-faults/);
});

test('the lab takes the options of the server, and refuses values as the server does', async (t) => {
  const [help, refused] = [given.lab(t, '--help'), given.lab(t, '--profile', 'text', '--port', 'http')];

  assert.deepEqual(await Promise.all([help.exit, refused.exit]), [0, 2]);
  assert.match(await help.printed, /--profile <name>.*--port <number>/s);
  assert.match(await refused.complained, /--port: .*http/);
});
