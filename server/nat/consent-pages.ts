/**
 * How browsers get to a consent and back, as NAT 1.9 has it: in a window of its own, which closes itself; or in the page
 * that has asked (`redirect`), which is then sent back to where it came from. A page says on its socket which it wants;
 * else the provider's `useRedirectAuth` counts.
 *
 * What a page has said is in memory: after a restart the provider's setting counts, and the origin of the request.
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

/** Pages that are remembered; the one that said something first goes first. */
const MAX_PAGES = 10_000;

/** The state of the flow has shown that the browser may know of the execution. */
const SERVER: Caller = { userId: undefined, isOperator: true };

export class ConsentPages {
  readonly #providers: Readonly<Record<string, OAuthProviderConfig>>;
  readonly #cors: Cors;
  readonly #asking = new Map<string, Asking>();

  constructor(providers: Readonly<Record<string, OAuthProviderConfig>>, cors: Cors) {
    this.#providers = providers;
    this.#cors = cors;
  }

  /** Providers that a page is sent to when it connects, before a run needs them. In the order of the configuration. */
  get preflight(): readonly string[] {
    return Object.keys(this.#providers).filter((name) => this.#providers[name]?.preflightAuth);
  }

  usesRedirect(provider: string): boolean {
    return this.#providers[provider]?.useRedirectAuth === true;
  }

  /** What the page says that waits for the consents of an execution, or for a preflight. */
  note(executionId: string, asking: Asking): void {
    this.#asking.delete(executionId);
    if (this.#asking.size >= MAX_PAGES) this.#asking.delete(this.#asking.keys().next().value!);
    this.#asking.set(executionId, asking);
  }

  /**
   * The origin that the browser goes back to after a consent, if it came from there in the same window. `host` is that of
   * the callback: a browser is only sent to pages that may call this server.
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
