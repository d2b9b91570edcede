import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { play } from './player.ts';
import { startProvider } from './provider.ts';
import { type Scenario, type Step, scenarioOf } from './scenarios.ts';

const given = {
  /** A server of one handler. */
  async server(t: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer(handle).listen(0, '127.0.0.1');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },

  /** Answers with what was asked: method, path, headers and body. */
  mirror: (t: TestContext) =>
    given.server(t, async (request, response) => {
      const { method, url, headers } = request;
      const body = await text(request);
      response.writeHead(200, { 'content-type': 'application/json', 'x-twice': ['a', 'a'] });
      response.end(
        JSON.stringify({ method, url, type: headers['content-type'] ?? null, lab: headers['x-lab'] ?? null, body }),
      );
    }),

  provider: async (t: TestContext) => {
    const provider = await startProvider();
    t.after(() => provider.close());
    return provider;
  },

  scenario: (...steps: Step[]): Scenario => scenarioOf({ name: 'a/b', profile: 'text', why: '', steps }, []),
};

test('a request goes out as it is written, and its answer is compared', async (t) => {
  const base = await given.mirror(t);
  const scenario = given.scenario(
    {
      request: { method: 'POST', path: '/a/../b?é', json: { run: '{{run}}' }, headers: { 'x-lab': '{{host}}' } },
      expect: {
        status: 200,
        headers: { 'content-type': 'application/json', 'x-twice': 'a', 'x-none': null },
        json: {
          method: 'POST',
          url: '/a/../b?%C3%A9',
          type: 'application/json',
          lab: base.replace('http://', ''),
          body: { $json: { run: '{{run}}' } },
        },
      },
    },
    {
      request: { path: '/', text: 'x', headers: { 'content-type': null } },
      expect: { json: { $has: { method: 'GET', type: null, body: 'x' } } },
    },
    {
      request: {
        method: 'PUT',
        path: '/',
        form: { name: 'file', filename: 'f.txt', type: 'text/plain', content: 'one' },
      },
      expect: {
        json: { $has: { type: { $regex: '^multipart/form-data; boundary=' }, body: { $regex: '\r\n\r\none\r\n--' } } },
      },
    },
  );

  await play(scenario, base);
});

test('an answer that differs fails the scenario and says where', async (t) => {
  const base = await given.mirror(t);
  const scenario = given.scenario(
    { request: { path: '/a' }, expect: { status: 200 } },
    { id: 'second', request: { path: '/b' }, expect: { json: { $has: { url: '/c' } } } },
  );

  await assert.rejects(play(scenario, base), /step 2 \(second\), request: \n {2}json\.url\n.*"\/c"\n.*"\/b"/s);
});

test('a name learned in one step is used by the next, and unknown names are never sent', async (t) => {
  const base = await given.mirror(t);
  const learn = { request: { path: '/a' }, expect: { json: { $has: { url: { $string: true, $as: 'U' } } } } };

  await play(
    given.scenario(learn, { request: { path: '/x{{U}}' }, expect: { json: { $has: { url: '/x/a' } } } }),
    base,
  );
  await assert.rejects(
    play(given.scenario(learn, { request: { path: '/{{V}}' } }), base),
    /\{\{V\}\} has no value yet/,
  );
});

test('a scenario passes if any of its courses does, and tells of the first if none does', async (t) => {
  const base = await given.mirror(t);
  const course = (status: number) => given.scenario({ request: { path: '/' }, expect: { status } }).courses[0]!;
  const scenario = (...courses: Scenario['courses']) => ({ name: 'a/b', profile: 'text', courses });

  await play(scenario(course(404), course(200)), base);
  await assert.rejects(play(scenario(course(404), course(500)), base), /404/);
});

test('a poll asks until the answer is the one it waits for', async (t) => {
  let asked = 0;
  const base = await given.server(t, (_, response) => response.end(JSON.stringify({ asked: (asked += 1) })));

  await play(given.scenario({ poll: { path: '/', until: { asked: 3 } }, expect: { json: { asked: 3 } } }), base);

  assert.equal(asked, 3);
  const never = given.scenario({ poll: { path: '/', until: { asked: 0 }, timeout: 0 } });
  await assert.rejects(play(never, base), /\/ never gave \{"asked":0\}/);
});

test('a request may stay in flight until a later step waits for its answer', async (t) => {
  const held: ServerResponse[] = [];
  const base = await given.server(t, ({ url }, response) => {
    if (url === '/hold') held.push(response);
    else response.end(String(held.splice(0).map((waiting) => waiting.end('late')).length));
  });
  const hold = { request: { path: '/hold', as: 'r' } };
  const pending = { pending: { name: 'r', seconds: 0.01 } };
  const release = { request: { path: '/release' }, expect: { text: '1' } };

  await play(given.scenario(hold, pending, release, { await: { name: 'r' }, expect: { text: 'late' } }), base);
  const early = given.scenario(hold, release, { await: { name: 'r' } }, pending);
  await assert.rejects(play(early, base), /r was answered too early/);
});

test('a request in flight is abandoned by a step, and at the end at the latest', async (t) => {
  let gone = 0;
  let tell = () => {};
  const base = await given.server(t, (_, response) => {
    response.once('close', () => {
      gone += 1;
      tell();
    });
  });
  const hold = { request: { path: '/', as: 'r' } };

  await play(given.scenario(hold, { close: 'r' }), base);
  assert.equal(gone, 1);

  const second = new Promise<void>((resolve) => (tell = resolve));
  await play(given.scenario(hold), base);
  await second;
  assert.equal(gone, 2);
});

test('unknown steps fail the scenario', async (t) => {
  const base = await given.mirror(t);

  await assert.rejects(play(given.scenario({ steram: {} }), base), /step 1, steram: no action has this name/);
  await assert.rejects(play(given.scenario({ await: { name: 'r' } }), base), /no Flight is called r/);
  await assert.rejects(play(given.scenario({ provider: 'requests' }), base), /no provider in this profile/);
});

const tokens = [
  { form: { code: 'ok-1' }, status: 200, json: { access_token: 'token-ok-1', token_type: 'Bearer', expires_in: 3600 } },
  { form: { code: 'short-1' }, status: 200, json: { $has: { expires_in: 1, refresh_token: 'refresh-1' } } },
  { form: { grant_type: 'refresh_token' }, status: 200, json: { $has: { access_token: 'token-refreshed' } } },
  { form: { grant_type: 'client_credentials' }, status: 400, json: { error: 'unauthorized_client' } },
  { form: { code: 'markup' }, status: 400, json: { error: '<b>bad</b>' } },
  { form: { code: 'tokenless' }, status: 400, json: { $not: { $has: { error: { $any: true } } } } },
  { form: { code: 'down' }, status: 500, json: { $any: true } },
  { form: { code: 'what?' }, status: 400, json: { error: 'invalid_grant' } },
];

for (const { form, status, json } of tokens) {
  test(`the provider answers ${new URLSearchParams(form)} with ${status}`, async (t) => {
    const provider = await given.provider(t);
    const sent = String(new URLSearchParams(form));
    const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic eDp5' };
    const scenario = given.scenario(
      { request: { method: 'POST', path: '/token', text: sent, headers }, expect: { status, json } },
      { provider: 'requests', expect: { requests: [{ authorization: 'Basic eDp5', form }] } },
      { provider: 'requests', expect: { requests: [] } },
    );

    await play(scenario, `http://127.0.0.1:${provider.port}`, provider);
  });
}

test('the provider gives the application a token only in a scenario that says so', async (t) => {
  const provider = await given.provider(t);
  const base = `http://127.0.0.1:${provider.port}`;
  const ask = (status: number) => ({
    request: { method: 'POST', path: '/token', text: 'grant_type=client_credentials' },
    expect: { status },
  });

  await play(given.scenario(ask(400), { provider: { clientCredentials: 'grant' } }, ask(200)), base, provider);
  await play(given.scenario(ask(400)), base, provider);
});

test('a provider that answers with a page is no JSON', async (t) => {
  const provider = await given.provider(t);
  const page = {
    request: { method: 'POST', path: '/token', text: 'code=page' },
    expect: { status: 200, headers: { 'content-type': 'text/html' }, text: '<html></html>' },
  };

  await play(given.scenario(page), `http://127.0.0.1:${provider.port}`, provider);
});
