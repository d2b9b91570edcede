/** What a runtime is made of. */
import type { Log } from './authoring/context.ts';
import type { Workflow } from './authoring/workflow.ts';
import type { Fetch } from './oauth/oauth.ts';
import type { OAuthProviderConfig } from './oauth/provider.ts';
import type { RuntimeOptions } from './options.ts';
import type { Store } from './store/store.ts';
import type { Clock } from './time/clock.ts';

export interface RuntimeSetup {
  readonly workflows: readonly Workflow[];
  readonly options?: RuntimeOptions;
  readonly providers?: Readonly<Record<string, OAuthProviderConfig>>;
  readonly store?: Store;
  readonly log?: Log;
  /** Time, randomness and access to providers are options, so that tests can replace them. */
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly fetch?: Fetch;
  /** Binds consents to users: the link of a consent, see `OAuthOptions`. Default: the address of the provider. */
  readonly consentLink?: ((state: string, redirectUri: string) => string) | undefined;
}
