import assert from 'node:assert/strict';
import test from 'node:test';
import { findUws, loadUws } from '../../../../server/http/uws/load.ts';

const machine = { platform: 'linux', arch: 'x64', nodeMajor: 20 };

const given = {
  /** Loads what is in the table; the rest is not installed. */
  packages: (installed: Record<string, unknown>) => {
    const asked: string[] = [];
    const load = (name: string): unknown => {
      asked.push(name);
      if (name in installed) return installed[name];
      throw new Error(`Cannot find module '${name}'\nRequire stack:\n- here`);
    };
    return { asked, load };
  },
};

test('the official package is taken before a prebuilt binding', () => {
  const official = { App: () => {} };
  const { load } = given.packages({ 'uWebSockets.js': official, '@uwsjs/linux-x64-20': {} });

  assert.equal(findUws(load, machine), official);
});

test('without it the binding for this system, processor and Node is taken', () => {
  const prebuilt = { App: () => {} };
  const { load, asked } = given.packages({ '@uwsjs/darwin-arm64-24': prebuilt });

  assert.equal(findUws(load, { platform: 'darwin', arch: 'arm64', nodeMajor: 24 }), prebuilt);
  assert.deepEqual(asked, ['uWebSockets.js', '@uwsjs/darwin-arm64-24']);
});

test('a package of that name that is something else is passed over', () => {
  const prebuilt = { App: () => {} };
  const { load } = given.packages({ 'uWebSockets.js': {}, '@uwsjs/linux-x64-20': prebuilt });

  assert.equal(findUws(load, machine), prebuilt);
  assert.throws(
    () => findUws(() => ({ default: 1 }), machine),
    /uWebSockets\.js is not the binding: it has no App; @uwsjs/,
  );
});

test('without either the error names what to install, and why what is there does not load', () => {
  const broken = (name: string): unknown => {
    throw new Error(name.startsWith('@') ? 'GLIBC_2.38 not found' : `Cannot find module '${name}'\nRequire stack:`);
  };

  assert.throws(
    () => findUws(broken, machine),
    (error: Error) => {
      assert.equal(
        error.message,
        'No binding of uWebSockets.js for linux-x64 and Node 20. Install @uwsjs/linux-x64-20, or where that does not exist ' +
          'the official package, uNetworking/uWebSockets.js on GitHub; or serve with the node adapter. ' +
          "Tried: Cannot find module 'uWebSockets.js'; " +
          'GLIBC_2.38 not found',
      );
      assert.ok(error.cause instanceof AggregateError);
      return true;
    },
  );
});

test('the limit for headers is set before the binding is loaded, and the binding is loaded once', () => {
  const first = loadUws(20_000);
  const second = loadUws(1);

  assert.equal(second, first);
  assert.equal(process.env.UWS_HTTP_MAX_HEADERS_SIZE, '20000');
});
