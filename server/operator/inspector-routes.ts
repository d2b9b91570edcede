/**
 * The page that connects this server to the Stately inspector. Its data comes from
 * `server/operator/inspector/sockets.ts`.
 */

import { html, inQuery, refusedWithProblem } from '../http/about.ts';
import type { Route } from '../http/route.ts';
import type { OperatorAccess } from '../identity/operator-access.ts';
import { route } from '../wire/route.ts';
import { page, pagePolicy } from './inspector/page.ts';
import { KINDS, readWatch } from './inspector/watch.ts';
import { signInPage, wantsPage } from './operator-page.ts';
import { SIGN_IN_PATH } from './operator-routes.ts';

export const inspectorRoute = (operators: OperatorAccess, rootPath: string): Route =>
  route({
    method: 'GET',
    path: '/inspect',
    about: {
      tag: 'server',
      credential: 'operator',
      summary: 'The Stately inspector, connected to this server',
      description: 'The WebSocket at `/inspect/socket` sends the same messages, with the same query.',
      parameters: [
        inQuery('kind', 'Only actors of this kind; may be given several times.', { enum: [...KINDS] }),
        inQuery('execution', 'Only this one.'),
        inQuery('user', 'Only what is theirs.'),
        inQuery('payloads', '1 shows inputs, results, prompts and answers too.', { enum: ['0', '1'] }),
      ],
      answers: {
        200: { description: 'The page.', content: html },
        403: refusedWithProblem('For operators only.'),
        422: refusedWithProblem('A parameter is invalid.'),
      },
    },
    handle: (call) => {
      if (wantsPage(call.headers.accept) && !operators.mayOperate(call)) return signInPage(rootPath + SIGN_IN_PATH);
      operators.require(call);
      readWatch(call.query); // an invalid filter is refused here, where a person sees the reason
      return { status: 200, headers: HEADERS, body: page };
    },
  });

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': pagePolicy,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
