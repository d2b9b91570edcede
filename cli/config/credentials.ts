/** The entries of the section `authentication`: providers of consents, and issuers of JWTs. */
import { z } from 'zod';
import { presetNames } from '../../runtime/index.ts';
import { choice, duration, integer, longestTimerMs, mapOfTexts, text, texts, url, yesOrNo } from './kinds.ts';

export const CONSENT = 'oauth2_auth_code_flow';

/** Its name is the name of the provider in workflows. */
export const provider = z.strictObject({
  _type: z
    .unknown()
    .optional()
    .meta({
      natOnly: `\`${CONSENT}\`, or left out; \`jwt\` is an issuer. An entry of another type is not read, with a warning: a workflow reads other credentials itself.`,
    }),
  client_id: text.describe('The client id at the provider.'),
  client_secret: text.optional().meta({ description: 'Default: a public client.', secret: true }),
  provider: choice(...presetNames)
    .optional()
    .describe('A built-in provider: its URLs and its differences. Other settings here override it.'),
  authorization_url: url
    .optional()
    .describe('URL of the consent page. https, or http on loopback. Required without `provider`.'),
  token_url: url.optional().describe('URL for exchanging codes for tokens. Required without `provider`.'),
  revocation_url: url.optional().describe('URL for revoking tokens. Default: the provider is not notified.'),
  redirect_uri: url.describe('The callback URL, exactly as registered at the provider.'),
  scopes: texts.optional().describe('Scopes for workflows that name none. Default: those of `provider`, or none.'),
  issuer: url.optional().describe('Callbacks with another issuer are refused.'),
  require_issuer_parameter: yesOrNo.default(false).describe('Refuses callbacks that do not name their issuer.'),
  token_endpoint_auth_method: choice('client_secret_basic', 'client_secret_post', 'none')
    .optional()
    .describe(
      'How the client authenticates. Default: that of `provider`, else `client_secret_basic`, or `none` without a secret.',
    ),
  authorization_kwargs: mapOfTexts
    .optional()
    .meta({ description: 'Further query parameters for `authorization_url`.', secret: true }),
  allow_insecure_http: yesOrNo.default(false).describe('Allows http beyond loopback, for safe networks.'),
  use_redirect_auth: yesOrNo
    .default(false)
    .describe(
      'The page itself goes to the consent, and back to its origin. False: the consent opens in a new window. The choice of a page on its socket (`oauth_mode_preference`) overrides it.',
    ),
  preflight_auth: yesOrNo
    .default(false)
    .describe('A user is asked for consent when their socket connects, before a run needs it.'),
  use_pkce: yesOrNo
    .optional()
    .meta({ natOnly: 'true, or false with a warning: PKCE is used with every provider that takes it.' }),
});

/** An entry with `_type: jwt`, as on NAT. */
export const issuer = z.strictObject({
  _type: z.literal('jwt').meta({ natOnly: '' }),
  issuer_url: url.describe('The exact value of `iss` in its tokens.'),
  jwks_uri: url.describe('URL of its keys: https, or http on loopback.'),
  audience: text.describe('Required audience (`aud`).'),
  scopes: texts.default([]).describe('Required scopes (`scope` or `scp`): all of these.'),
  timeout: duration(1, longestTimerMs).default(10_000).describe('Timeout for fetching the keys.'),
  leeway: integer(0).default(60).describe('Tolerated clock difference in seconds.'),
});
