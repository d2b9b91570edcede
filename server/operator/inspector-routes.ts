/**
 * The page that connects this server to the Stately inspector. Its data comes from
 * `server/operator/inspector/sockets.ts`.
 */

import type { Route } from '../http/route.ts';
import type { OperatorAccess } from '../identity/operator-access.ts';
import { route } from '../wire/route.ts';
import { aboutInspector } from './about.ts';
import { page, pagePolicy } from './inspector/page.ts';
import { readWatch } from './inspector/watch.ts';
import { signInPage, wantsPage } from './operator-page.ts';
import { SIGN_IN_PATH } from './operator-routes.ts';

export const inspectorRoute = (operators: OperatorAccess, rootPath: string): Route =>
  route({
    method: 'GET',
    path: '/inspect',
    about: aboutInspector,
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
