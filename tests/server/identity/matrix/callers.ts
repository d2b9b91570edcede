/** The kinds of callers of three servers with different identity settings, with the headers of each. */
import { SignJWT } from 'jose';
import type { ServerOptions } from '../../../../server/options.ts';
import type { Sent } from './asking.ts';

export const operatorKey = 'the-key-of-the-operator';
const secret = 'the secret of those who issue tokens, long enough';
const issuer = 'https://issuer.example';

interface Token {
  readonly key?: string;
  readonly iss?: string;
  readonly expires?: string | number | null;
}

const jwt = async (sub: string, { key = secret, iss = issuer, expires = '1h' }: Token = {}): Promise<string> => {
  const token = new SignJWT({ sub }).setProtectedHeader({ alg: 'HS256' }).setIssuer(iss);
  if (expires !== null) token.setExpirationTime(expires);
  return `Bearer ${await token.sign(new TextEncoder().encode(key))}`;
};

const guest = 'the-token-of-one-guest-32-chars_';
const otherGuest = 'the-token-of-other-guest-32-char';

/** Calls the server as one of them; `cookie` is the cookie of a signed-in operator. */
type Caller = (given: { readonly cookie: string; readonly origin: string }) => Sent | Promise<Sent>;

export interface Kind {
  readonly name: string;
  /** What comes of it, in `expected`. Default: that of its name. */
  readonly like?: string;
  readonly config: Partial<ServerOptions>;
  /** The one to whom all executions of the matrix belong. */
  readonly owner: Caller;
  /** A caller without identity to whom a job belongs, where there are such callers. */
  readonly guest: Caller | undefined;
  readonly callers: Readonly<Record<string, Caller>>;
}

const asPage = { 'x-as-operator': '1' };
const evil = { origin: 'https://evil.example' };

const verified: Kind = {
  name: 'a server that verifies tokens and has an operator key, behind a proxy',
  config: {
    identity: { jwt: { secret, issuer }, operatorKey },
    trustProxy: ['loopback'],
    allowedHosts: ['127.0.0.1'],
  },
  owner: async () => ({ authorization: await jwt('alice') }),
  guest: () => ({ 'guest-token': guest }),
  callers: {
    stranger: () => ({}),
    guest: () => ({ 'guest-token': guest }),
    otherGuest: () => ({ 'guest-token': otherGuest }),
    owner: async () => ({ authorization: await jwt('alice') }),
    other: async () => ({ authorization: await jwt('bob') }),
    operator: () => ({ 'x-operator-key': operatorKey }),
    page: ({ cookie, origin }) => ({ ...asPage, cookie, origin }),
    pageByKey: () => ({ ...asPage, authorization: `Bearer ${operatorKey}` }),
    browser: ({ cookie }) => ({ cookie }),
    foreignPage: ({ cookie }) => ({ ...asPage, cookie, ...evil }),
    foreignHost: async () => ({ authorization: await jwt('alice'), host: 'evil.example' }),
    wrongKey: () => ({ 'x-operator-key': 'not-the-key-of-anybody' }),
    localhost: () => ({ ...asPage, host: 'localhost' }),
    expired: async () => ({ authorization: await jwt('alice', { expires: 1 }) }),
    foreignIssuer: async () => ({ authorization: await jwt('alice', { iss: 'https://other.example' }) }),
    noExpiry: async () => ({ authorization: await jwt('alice', { expires: null }) }),
    forged: async () => ({ authorization: await jwt('alice', { key: secret.replace('issue', 'forge') }) }),
    unsigned: () => ({ authorization: `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"alice"}')}.` }),
    malformed: () => ({ authorization: 'Basic ???' }),
    cookie: () => ({ cookie: 'nat-session=alice' }),
    apiKey: () => ({ 'x-api-key': 'alice' }),
    basic: () => ({ authorization: `Basic ${btoa('alice:alice')}` }),
    hidden: async () => ({ cookie: 'nat-session=mallory', authorization: await jwt('alice') }),
  },
};

const local: Kind = {
  name: 'a server on this machine without a key',
  config: {},
  owner: () => ({ 'x-api-key': 'alice' }),
  guest: () => ({ 'guest-token': guest }),
  callers: {
    stranger: () => ({}),
    guest: () => ({ 'guest-token': guest }),
    otherGuest: () => ({ 'guest-token': otherGuest }),
    owner: () => ({ 'x-api-key': 'alice' }),
    bearer: () => ({ authorization: 'Bearer alice' }),
    other: () => ({ 'x-api-key': 'bob' }),
    page: ({ origin }) => ({ ...asPage, origin }),
    forwarded: () => ({ ...asPage, 'x-forwarded-for': '203.0.113.7' }),
    tunnelled: () => ({ ...asPage, 'cf-connecting-ip': '203.0.113.7' }),
    /** As a proxy asks that says nothing of itself, and whose `Host` is ours. It opens no sockets. */
    plainProxy: () => ({ ...asPage, connection: 'close' }),
    foreignPage: () => ({ ...asPage, ...evil }),
    sibling: () => ({ ...asPage, origin: 'http://127.0.0.1:1' }),
    rebound: () => ({ ...asPage, host: 'evil.example' }),
    anyKey: () => ({ 'x-operator-key': operatorKey }),
    jwt: async () => ({ authorization: await jwt('alice') }),
  },
};

const proxied: Kind = {
  name: 'a server whose proxy names the user',
  config: { identity: { header: 'X-User', operatorKey }, trustProxy: ['loopback'] },
  owner: () => ({ 'x-user': 'alice' }),
  guest: undefined,
  callers: {
    owner: () => ({ 'x-user': 'alice' }),
    other: () => ({ 'x-user': 'bob' }),
    missing: () => ({}),
    empty: () => ({ 'x-user': '' }),
    blank: () => ({ 'x-user': ' ' }),
    repeated: () => ({ 'x-user': ['alice', 'alice'] }),
    apiKey: () => ({ 'x-api-key': 'alice', cookie: 'nat-session=alice', 'guest-token': guest }),
    operator: () => ({ 'x-operator-key': operatorKey }),
    userWithKey: () => ({ 'x-user': 'bob', 'x-operator-key': operatorKey }),
    wrongKey: () => ({ 'x-operator-key': 'not-the-key-of-anybody' }),
    page: ({ cookie, origin }) => ({ ...asPage, cookie, origin }),
  },
};

/** Whether a header came twice is seen by what speaks HTTP. */
const proxiedOnNode: Kind = {
  ...proxied,
  name: `${proxied.name}, and that speaks HTTP by Node`,
  like: proxied.name,
  config: { ...proxied.config, adapter: 'node' },
};

export const kinds: readonly Kind[] = [verified, local, proxied, proxiedOnNode];
