/**
 * How browsers get to a consent and back, as in NAT 1.9: in a new window, which closes itself; or in the page itself
 * (`redirect`), which is then sent back to its origin. A page chooses on its socket; otherwise the provider's
 * `useRedirectAuth` decides.
 *
 * The choice of a page is in memory. After a restart the provider's setting counts, and the origin of the request.
 */
import type { Caller, OAuthProviderConfig, Runtime } from '../../runtime/index.ts';
import type { Cors } from '../http/cors.ts';
import { isWelcome } from '../http/origin.ts';

export type ConsentMode = 'redirect' | 'popup';

/** The page that waits for a consent. */
export interface Asking {
  readonly origin: string | undefined;
  readonly mode: ConsentMode;
}

/** Maximum number of remembered pages. The oldest is dropped. */
const MAX_PAGES = 10_000;

/** The state of the flow proves that the browser may know the execution. */
const SERVER: Caller = { userId: undefined, isOperator: true };

export class ConsentPages {
  readonly #providers: Readonly<Record<string, OAuthProviderConfig>>;
  readonly #cors: Cors;
  readonly #asking = new Map<string, Asking>();

  constructor(providers: Readonly<Record<string, OAuthProviderConfig>>, cors: Cors) {
    this.#providers = providers;
    this.#cors = cors;
  }

  /** Providers with a preflight consent, in the order of the configuration. */
  get preflight(): readonly string[] {
    return Object.keys(this.#providers).filter((name) => this.#providers[name]?.preflightAuth);
  }

  usesRedirect(provider: string): boolean {
    return this.#providers[provider]?.useRedirectAuth === true;
  }

  /** Records the choice of a page that waits for the consents of an execution, or for a preflight consent. */
  note(executionId: string, asking: Asking): void {
    this.#asking.delete(executionId);
    if (this.#asking.size >= MAX_PAGES) this.#asking.delete(this.#asking.keys().next().value!);
    this.#asking.set(executionId, asking);
  }

  /**
   * The origin to which the browser returns after a consent in the same window. `host` is that of the callback: a
   * browser is only sent to pages that may call this server.
   */
  async returnsTo(
    runtime: Runtime,
    { executionId, state }: { readonly executionId: string; readonly state: string },
    host: string | undefined,
  ): Promise<string | undefined> {
    const known = this.#asking.get(executionId);
    const execution = await runtime.get(executionId, SERVER);
    const origin = known?.origin ?? execution?.origin.request?.request.headers.origin;
    if (origin === undefined || !isWelcome(origin, host, this.#cors)) return undefined;
    if (known !== undefined) return known.mode === 'redirect' ? origin : undefined;
    const page = execution && (await runtime.journal(execution, 0));
    const asked = page?.entries.find((entry) => 'id' in entry && entry.id === state);
    return asked?.type === 'oauth.requested' && this.usesRedirect(asked.provider) ? origin : undefined;
  }
}
