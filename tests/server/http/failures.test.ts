import assert from 'node:assert/strict';
import test from 'node:test';
import type { Reply, Route } from '../../../server/http/route.ts';
import { connectRaw, rawRequest, sendRaw, startServer, until } from '../../support/http.ts';

const ok: Reply = { status: 200, body: 'ok' };

const given = {
  get: (handle: Route['handle']): Route => ({ method: 'GET', path: '/a', handle }),
  post: (handle: Route['handle']): Route => ({ method: 'POST', path: '/a', handle }),

  /** A route that waits until the test replies. */
  waiting: () => {
    const { promise, resolve, reject } = withResolvers<Reply>();
    const calls: { gone: number; signal: AbortSignal }[] = [];
    const route = given.get((call) => {
      const seen = { gone: 0, signal: call.signal };
      calls.push(seen);
      call.onGone(() => {
        seen.gone += 1;
      });
      return promise;
    });
    return { route, calls, resolve, reject };
  },
};

const withResolvers = <T>() => {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
};

test('what a route throws, at once or later, is answered by the caller', async (t) => {
  const boom = new Error('boom');
  const atOnce = (): never => {
    throw boom;
  };
  const server = await startServer(t, { routes: [given.get(atOnce), given.post(async () => atOnce())] });

  for (const text of [rawRequest('GET /a'), rawRequest('POST /a'), rawRequest('POST /a', ['Content-Length: 1'], 'x')]) {
    const { status, body } = await sendRaw(t, server.port, text);

    assert.deepEqual([status, body], [500, 'thrown: Error: boom']);
  }
  assert.deepEqual(server.errors, []);
});

test('when even the answer to an error fails, the reply is a 500 and the operator hears of it', async (t) => {
  const lost = new Error('lost');
  const problems: (() => Reply)[] = [
    () => {
      throw lost;
    },
    () => ({ status: 99 }),
  ];
  const server = await startServer(t, {
    routes: [given.get(() => Promise.reject(new Error('boom')))],
    problem: () => problems.shift()!(),
  });

  for (const _ of [...problems]) {
    const { status, headers, body } = await sendRaw(t, server.port, rawRequest('GET /a'));

    assert.deepEqual([status, headers['content-type']], [500, 'application/problem+json']);
    assert.ok(!body.includes('lost'));
  }
  assert.equal(server.errors[0], lost);
  assert.match(String(server.errors[1]), /needs a status, got 99/);
});

test('an operator who fails to hear of an error ends nothing', async (t) => {
  const fails = (): never => {
    throw new Error('deaf');
  };
  const server = await startServer(t, { routes: [given.get(fails)], problem: fails, onError: fails });

  assert.equal((await sendRaw(t, server.port, rawRequest('GET /a'))).status, 500);
});

test('a reply that cannot be sent is an error, and none of it is sent', async (t) => {
  const replies: unknown[] = [
    { status: 200, headers: { location: 'a\r\nset-cookie: x' } },
    { status: 200, headers: { location: 'a\nb' } },
    { status: 200, headers: { location: 'a\rb' } },
    { status: 200, headers: { location: 'a\0b' } },
    { status: 200, headers: { location: undefined } },
    { status: 200, headers: { 'lo cation': 'a' } },
    { status: 200, body: { not: 'text' } },
    { status: 101 },
    { status: 200.5 },
    undefined,
    null,
  ];
  const server = await startServer(t, {
    routes: [
      given.get(({ query }) => replies[Number(query)] as Reply),
      given.post(async ({ query }) => replies[Number(query)] as Reply),
    ],
  });

  for (const index of replies.keys()) {
    for (const line of [`GET /a?${index}`, `POST /a?${index}`]) {
      const { status, headers, body } = await sendRaw(t, server.port, rawRequest(line));

      assert.equal(status, 500, line);
      assert.equal(headers['set-cookie'], undefined);
      assert.match(
        body,
        /^thrown: TypeError: (the value of the reply header location|a reply header cannot|a body must|a reply needs|a route must)/,
      );
    }
  }
});

test('when a client leaves, the route is told once, and its late reply goes nowhere', async (t) => {
  const { route, calls, resolve } = given.waiting();
  const server = await startServer(t, { routes: [route] });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /a'));
  await until(() => calls.length === 1, 'the request');
  assert.equal(server.openRequests, 1);
  assert.equal(calls[0]!.signal.aborted, false);

  client.socket.destroy();
  await until(() => server.openRequests === 0, 'the departure');
  resolve(ok);

  assert.equal(calls[0]!.gone, 1);
  assert.equal(calls[0]!.signal.aborted, true);
  assert.equal((await sendRaw(t, server.port, rawRequest('GET /a'))).status, 200);
  assert.deepEqual(server.errors, []);
});

test('who asks only after the client has left is told at once', async (t) => {
  let askLate = (): [boolean, boolean] => [false, false];
  const never = new Promise<Reply>(() => {});
  const server = await startServer(t, {
    routes: [
      given.get((call) => {
        askLate = () => {
          let told = false;
          call.onGone(() => {
            told = true;
          });
          return [told, call.signal.aborted];
        };
        return never;
      }),
    ],
  });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /a'));
  await until(() => server.openRequests === 1, 'the request');

  client.socket.destroy();
  await until(() => server.openRequests === 0, 'the departure');

  assert.deepEqual(askLate(), [true, true]);
});

test('a route that was answered is never told that its client left', async (t) => {
  const { route, calls, resolve } = given.waiting();
  const server = await startServer(t, { routes: [route] });
  const client = await connectRaw(t, server.port);
  resolve(ok);
  client.send(rawRequest('GET /a'));
  await client.answer();

  client.socket.destroy();
  await client.closed;
  await sendRaw(t, server.port, rawRequest('GET /a'));

  assert.deepEqual([calls[0]!.gone, calls[0]!.signal.aborted], [0, false]);
});

test('an error after the client has left is reported, unless it is the departure itself', async (t) => {
  const boom = new Error('boom');
  for (const [thrown, reported] of [
    [boom, [boom]],
    [AbortSignal.abort().reason, []],
  ] as const) {
    const { route, reject } = given.waiting();
    const server = await startServer(t, { routes: [route] });
    const client = await connectRaw(t, server.port);
    client.send(rawRequest('GET /a'));
    await until(() => server.openRequests === 1, 'the request');
    client.socket.destroy();
    await until(() => server.openRequests === 0, 'the departure');

    reject(thrown);

    await sendRaw(t, server.port, rawRequest('GET /b'));
    assert.deepEqual(server.errors, reported);
  }
});

test('a listener that throws keeps the others from nothing, and is reported', async (t) => {
  const boom = new Error('boom');
  let told = 0;
  const server = await startServer(t, {
    routes: [
      given.get((call) => {
        call.onGone(() => {
          throw boom;
        });
        call.onGone(() => {
          told += 1;
        });
        return new Promise<Reply>(() => {});
      }),
    ],
  });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /a'));
  await until(() => server.openRequests === 1, 'the request');

  client.socket.destroy();

  await until(() => server.openRequests === 0, 'the departure');
  assert.equal(told, 1);
  assert.deepEqual(server.errors, [boom]);
});
