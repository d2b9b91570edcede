/** The sign-in of operators in browsers, because pages cannot send headers when they are opened. */
import { Failure } from '../../runtime/index.ts';
import type { Call, Route } from '../http/route.ts';
import type { OperatorDoor } from '../identity/operator-door.ts';
import { readJsonBody } from '../wire/json-body.ts';
import { aboutSignIn, aboutSignOut } from './about.ts';

export const SIGN_IN_PATH = '/operator';

export const operatorRoutes = (door: OperatorDoor): Route[] => [
  {
    method: 'POST',
    path: SIGN_IN_PATH,
    about: aboutSignIn,
    maxBodyBytes: 4 * 1024,
    handle: (call) => {
      const { key } = readSignIn(call);
      const cookie = typeof key === 'string' ? door.signIn(key, call) : undefined;
      if (cookie === undefined)
        throw new Failure('operator_required', { detail: 'key: this is not the operator key.' });
      return { status: 204, headers: { 'set-cookie': cookie, 'cache-control': 'no-store' } };
    },
  },
  {
    method: 'DELETE',
    path: SIGN_IN_PATH,
    about: aboutSignOut,
    handle: () => ({ status: 204, headers: { 'set-cookie': door.signOut() } }),
  },
];

/** Its refusal does not repeat the body, which may hold the key. */
const readSignIn = ({ headers, body }: Call): { readonly key?: unknown } => {
  try {
    return readJsonBody(headers['content-type'], body) as { key?: unknown };
  } catch {
    const detail = 'The body cannot be read; send {"key":"..."} as application/json.';
    throw new Failure('request_invalid', { detail });
  }
};
