/** The sign-in of operators in browsers, because pages cannot send headers when they are opened. */
import { z } from 'zod';
import { Failure } from '../../runtime/index.ts';
import { refusedWithProblem } from '../http/about.ts';
import type { Route } from '../http/route.ts';
import type { OperatorAccess } from '../identity/operator-access.ts';
import { jsonBody, route } from '../wire/route.ts';

export const SIGN_IN_PATH = '/operator';

export const operatorRoutes = (operators: OperatorAccess): Route[] => [
  route({
    method: 'POST',
    path: SIGN_IN_PATH,
    body: jsonBody(
      z.looseObject({ key: z.string() }),
      'The body cannot be read; send {"key":"..."} as application/json.',
    ),
    about: {
      tag: 'server',
      credential: 'none',
      summary: 'Signs a browser in as operator',
      answers: {
        204: 'Done, by a cookie.',
        403: refusedWithProblem('This is not the operator key.'),
        422: refusedWithProblem('The body does not fit.'),
      },
    },
    maxBodyBytes: 4 * 1024,
    handle: (call, { key }) => {
      const cookie = operators.signIn(key, call);
      if (cookie === undefined)
        throw new Failure('operator_required', { detail: 'key: this is not the operator key.' });
      return { status: 204, headers: { 'set-cookie': cookie, 'cache-control': 'no-store' } };
    },
  }),
  route({
    method: 'DELETE',
    path: SIGN_IN_PATH,
    about: { tag: 'server', credential: 'none', summary: 'Signs it out', answers: { 204: 'Done.' } },
    handle: () => ({ status: 204, headers: { 'set-cookie': operators.signOut() } }),
  }),
];
