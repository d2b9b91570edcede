/**
 * Consents that are bound to the user of their run. The link of a consent leads to a route of this server, which lets only
 * that user pass, marks the browser with a cookie, and sends it to the provider. The callback requires the cookie. Otherwise
 * a user could send the link of an own run to another person, and would get access to the account of that person.
 *
 * L1  The cookie has a proof that only this server can make, for one consent. It ends with the consent.
 * L2  The cookie may also have the page to which the browser returns. Its origin is checked before and after the consent.
 */
import { createHash } from 'node:crypto';
import { Failure, type OAuthProviderConfig, type OpenedConsent, type RuntimeSetup } from '../../runtime/index.ts';
import { readCookie } from '../http/cookies.ts';
import type { NatOptions } from './options.ts';

export const LINK_PATH = '/oauth/connect';

/** Maximum length of `return_to`: the cookie has to fit into the headers of a request. */
const MAX_RETURN_TO = 1_024;

/** What a browser brings back from the provider. */
export interface Mark {
  readonly proof: string;
  readonly returnTo: string | undefined;
}

/** For the runtime: the link has the origin and the prefix of the callback, which browsers can reach. */
export const consentLinkOf = ({ bindConsents, oauthCallbackPath: path }: NatOptions): RuntimeSetup['consentLink'] => {
  if (!bindConsents || path === null) return undefined;
  return (state, redirectUri) => {
    const { origin, pathname } = new URL(redirectUri);
    const prefix = pathname.endsWith(path) ? pathname.slice(0, -path.length) : '';
    return `${origin}${prefix}${LINK_PATH}/${state}`;
  };
};

/**
 * The cookie of a browser on its way to the provider. Browsers send it to the callback only, also when the provider, which is
 * another site, redirects them there (Lax).
 */
export const markWith = (
  { proof, redirectUri, expiresInMs }: OpenedConsent,
  state: string,
  returnTo: string | undefined,
): string => {
  const value = returnTo === undefined ? proof : `${proof}.${Buffer.from(returnTo).toString('base64url')}`;
  const { protocol, pathname } = new URL(redirectUri);
  const attributes = `Path=${pathname}; Max-Age=${Math.ceil(expiresInMs / 1_000)}; HttpOnly; SameSite=Lax`;
  return `${nameOf(state)}=${value}; ${attributes}${protocol === 'https:' ? '; Secure' : ''}`;
};

export const readMark = (cookies: string | undefined, state: string): Mark | undefined => {
  const [proof, page] = readCookie(cookies, nameOf(state))?.split('.') ?? [];
  if (proof === undefined) return undefined;
  return { proof, returnTo: page === undefined ? undefined : Buffer.from(page, 'base64url').toString() };
};

/** Several consents may be under way in one browser. */
const nameOf = (state: string): string =>
  `fermata-consent-${createHash('sha256').update(state).digest('base64url').slice(0, 16)}`;

interface ReturnOptions extends Pick<NatOptions, 'consentReturnOrigins'> {
  readonly providers: Readonly<Record<string, OAuthProviderConfig>>;
}

/** L2: which pages a browser may return to. Throws `options_invalid` for a setting that is no origin. */
export class ReturnPages {
  readonly #origins: ReadonlySet<string>;

  constructor({ consentReturnOrigins, providers }: ReturnOptions) {
    for (const given of consentReturnOrigins) {
      if (URL.canParse(given) && /^https?:/.test(given) && new URL(given).origin === given) continue;
      const detail = `consentReturnOrigins: expected origins such as https://app.example, got ${JSON.stringify(given)}`;
      throw new Failure('options_invalid', { detail });
    }
    const own = Object.values(providers).map(({ redirectUri }) => new URL(redirectUri).origin);
    this.#origins = new Set([...consentReturnOrigins, ...own]);
  }

  /** The page to which a browser with this mark returns. */
  after(mark: Mark | undefined): string | undefined {
    const page = mark?.returnTo;
    return page !== undefined && this.#allows(page) ? page : undefined;
  }

  /** The `return_to` of a query. Throws `request_invalid` if it is not allowed, or repeated. */
  read(query: string): string | undefined {
    const [page, ...more] = new URLSearchParams(query).getAll('return_to');
    if (page === undefined) return undefined;
    if (more.length === 0 && this.#allows(page)) return new URL(page).href;
    const detail = `return_to must be one URL of at most ${MAX_RETURN_TO} characters, at this server or at an origin of fermata.consent_return_origins.`;
    throw new Failure('request_invalid', { detail });
  }

  #allows(page: string): boolean {
    if (page.length > MAX_RETURN_TO || !URL.canParse(page)) return false;
    const { protocol, origin } = new URL(page); // a blob has the origin of the page that made it
    return (protocol === 'https:' || protocol === 'http:') && this.#origins.has(origin);
  }
}
