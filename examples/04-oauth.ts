/**
 * Sends a user to the consent page of a provider, and calls the provider's API with the token that comes back.
 *
 * Serve it with its configuration: `npx fermata serve examples/04-oauth.ts --config examples/04-oauth.yaml`.
 */
import { workflow } from 'fermata';
import { z } from 'zod';
import { startIdentityProvider } from './support/identity-provider.ts';

export default workflow({
  name: 'who-am-i',
  output: z.object({ signedInAs: z.string() }),
  // Use your own provider instead. The example starts this one so that it runs by itself.
  build: (scope) => startIdentityProvider(scope, Number(process.env.IDENTITY_PORT ?? 9009)),
  async run(_input, ctx, provider) {
    const token = await ctx.authorize('demo');
    const response = await fetch(`${provider.origin}/me`, {
      headers: { authorization: `Bearer ${token.value}` },
      signal: ctx.signal,
    });
    if (!response.ok) throw new Error(`The provider answered with ${response.status}.`);
    const { sub } = (await response.json()) as { sub: string };
    return { signedInAs: sub };
  },
});
