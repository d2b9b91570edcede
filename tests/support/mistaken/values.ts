/** Values that authors return, emit, log and throw, and that are trouble to whatever reads them. */

const fails = (): never => {
  throw new Error('a getter throws');
};

const circle = (): unknown => {
  const self: { self?: unknown; list: unknown[] } = { list: [] };
  self.self = self;
  self.list.push(self);
  return self;
};

/** Each level has the next one twice: few objects, and no end of them when they are walked. */
const shared = (levels: number): unknown => {
  let value: unknown = 'the end';
  for (let level = 0; level < levels; level += 1) value = { left: value, right: value };
  return value;
};

const deep = (levels: number): unknown => {
  let value: unknown = 0;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
};

const endless = (): object => ({
  get next() {
    return endless();
  },
});

const sparse = (): unknown => {
  const list: unknown[] = [];
  list[4_000_000_000] = 'far';
  return list;
};

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

class Account {
  readonly #secret = 1;
  readonly owner = 'ada';
  get secret(): number {
    return this.#secret;
  }
}

export const values: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  'no number': () => Number.NaN,
  'a BigInt': () => 2n ** 70n,
  'a symbol': () => Symbol('s'),
  'a function': () => () => 1,
  'a Map': () => new Map([[{}, new Set([1])]]),
  'an instance': () => new Account(),
  'an invalid date': () => ({ at: new Date(Number.NaN) }),
  'a promise that rejects': () => ({ later: Promise.reject(new Error('nested')) }),
  'a circle': circle,
  'shared parts, sixteen levels': () => shared(16),
  'shared parts, sixty levels': () => shared(60),
  'shared parts in a toJSON': () => ({ toJSON: () => shared(60) }),
  'nine hundred levels': () => deep(900),
  'a hundred thousand levels': () => deep(100_000),
  'no end of levels': endless,
  'a list with a far end': sparse,
  'a list that is only long': () => new Array(2 ** 32 - 1),
  'a text of 3 MB': () => 'x'.repeat(3_000_000),
  'a text of 30 MB': () => 'x'.repeat(30_000_000),
  'a hundred thousand numbers': () => Array.from({ length: 100_000 }, (_, index) => index),
  'ten thousand members': () => Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`m${index}`, index])),
  'bytes, 10 MB': () => new Uint8Array(10_000_000),
  'a buffer, 10 MB': () => Buffer.alloc(10_000_000),
  'a getter that throws': () => ({
    get value() {
      return fails();
    },
  }),
  'a toJSON that throws': () => ({ toJSON: fails }),
  'a toJSON that gives itself': () => {
    const self = { toJSON: (): unknown => self };
    return self;
  },
  'a Proxy that throws': () => new Proxy({}, { get: fails, ownKeys: fails, getPrototypeOf: fails }),
  'a Proxy with no end of members': () =>
    new Proxy(
      {},
      { get: (_, key) => (typeof key === 'symbol' ? undefined : { [key]: revoked }), ownKeys: () => ['a'] },
    ),
  'a revoked Proxy': revoked,
  'a then that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the mistake
    get then() {
      return fails();
    },
  }),
  'a then that calls twice': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the mistake
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      resolve(1);
      reject(new Error('twice'));
      fails();
    },
  }),
  'all that is global': () => globalThis,
  'the environment': () => process.env,
  'a half surrogate': () => JSON.parse('{ "\\ud800": "\\udfff", "__proto__": 1, "constructor": 2 }'),
  'an error': () => new AggregateError([new Error('inner')], 'outer'),
  'a generator': function* numbers() {
    yield 1;
  },
};

class Nameless extends Error {
  // biome-ignore lint/suspicious/noExplicitAny: that is the mistake
  override name: any = Symbol('name');
  override get stack(): string {
    return fails();
  }
}

const linked = (): Error => {
  const error = new Error('linked', { cause: undefined });
  error.cause = error;
  return error;
};

export const throwables: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  'a text': () => 'no error',
  'a symbol': () => Symbol('thrown'),
  'a BigInt': () => 1n,
  'a function': () => fails,
  'an object without a prototype': () => Object.create(null),
  'a revoked Proxy': revoked,
  'a Proxy that throws': values['a Proxy that throws']!,
  'an error whose name is a symbol and whose stack throws': () => new Nameless('no name'),
  'an error that is its own cause': linked,
  'a message that throws': () => Object.defineProperty(new Error('x'), 'message', { get: fails }),
  'a message of 3 MB': () => new Error('x'.repeat(3_000_000)),
  'an error with much in it': () => Object.assign(new Error('full'), { all: globalThis, parts: shared(60) }),
  'an error with bytes in it': () => Object.assign(new Error('full'), { data: Buffer.alloc(5_000_000) }),
  'a frozen error': () => Object.freeze(new TypeError('frozen')),
  'an aggregate': () => new AggregateError([linked(), 1n, circle()], 'many'),
  'a DOMException': () => new DOMException('aborted', 'AbortError'),
  'an error with a circle': () => Object.assign(new Error('circle'), { circle: circle() }),
  'a toString that throws': () => ({ toString: fails, [Symbol.toPrimitive]: fails }),
};
