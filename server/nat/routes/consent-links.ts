/** The link of a consent that is bound to the user of its run. */
import { z } from 'zod';
import { Failure } from '../../../runtime/index.ts';
import { inQuery, refused } from '../../http/about.ts';
import { refusal } from '../../http/problem.ts';
import { json } from '../../http/problems.ts';
import type { Route } from '../../http/route.ts';
import { route } from '../../wire/route.ts';
import { LINK_PATH, markWith } from '../consent-links.ts';
import type { NatApp } from '../placed.ts';

const address = z.object({ auth_url: z.string() }).meta({ id: 'ConsentAddress' });

/** None unless consents are bound. */
export const consentLinkRoutes = ({ runtime, who, config, returnPages }: NatApp): Route[] => {
  if (!config.bindConsents || config.oauthCallbackPath === null) return [];
  return [
    route({
      method: 'GET',
      path: `${LINK_PATH}/:state`,
      setting: 'bindConsents',
      reply: address,
      about: {
        tag: 'server',
        summary: 'Sends the user of a run to the consent',
        description: 'A page that identifies its user by a header gets the address with `Accept: application/json`.',
        parameters: [inQuery('return_to', 'The page to which the browser returns after the consent.')],
        answers: {
          303: 'To the provider.',
          404: refused('The consent is not open, or is that of another user.'),
        },
      },
      handle: async (call) => {
        const returnTo = returnPages.read(call.query);
        const by = await who(call);
        if (by.userId === undefined) throw new Failure('identity_required', { detail: SIGN_IN });
        const { state = '' } = call.params;
        const consent = await runtime.openConsent(state, by);
        if (consent === undefined) return refusal(404, NOT_OPEN);
        const headers = { 'set-cookie': markWith(consent, state, returnTo), 'referrer-policy': 'no-referrer' };
        const isProgram = /^application\/json\b/i.test(call.headers.accept ?? '');
        if (isProgram) return json(200, { auth_url: consent.authUrl }, headers);
        return { status: 303, headers: { ...headers, location: consent.authUrl } };
      },
    }),
  ];
};

const SIGN_IN = 'A consent belongs to the user of its run: sign in as this user, and follow the link again.';
const NOT_OPEN = 'This consent is not open: it was given, has expired, or belongs to another user.';
