/**
 * The recorded traffic of NAT, played against our server: a lab server for each profile, profiles side by side, the scenarios
 * of one profile one after the other.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { startLab } from '../lab/lab.ts';
import { testedAdapter } from '../support/adapter.ts';
import { behindProxy, refusedByProxy, settingsBehindProxy } from '../support/proxy-setup.ts';
import { play } from './player.ts';
import { startProvider } from './provider.ts';
import { readDeviations, readRecordings, type Scenario, scenarioOf } from './scenarios.ts';

const deviations = readDeviations();
const scenarios = readRecordings().map((recording) => scenarioOf(recording, deviations));
const profiles = new Set(scenarios.map(({ profile }) => profile));

test('clients of NAT see what they saw, or what we promised instead', { concurrency: true }, async (t) => {
  assert.ok(scenarios.length > 300, 'a run without scenarios shows nothing');
  t.diagnostic(`${scenarios.length} recorded scenarios`);

  await Promise.all(
    [...profiles].map((profile) => {
      const those = scenarios.filter((scenario) => scenario.profile === profile);
      return t.test(`profile ${profile}`, (within) => playAll(profile, those, within));
    }),
  );
});

const playAll = async (profile: string, those: readonly Scenario[], t: TestContext): Promise<void> => {
  const provider = profile === 'oauth' ? await startProvider() : undefined;
  t.after(() => provider?.close());
  const config = { host: '127.0.0.1', port: 0, adapter: testedAdapter(), ...settingsBehindProxy() };
  const lab = await startLab(profile, { config, ...(provider && { oauthTokenPort: provider.port }) });
  t.after(() => lab.close());
  const { url } = await behindProxy(t, { url: lab.base, port: lab.port });
  for (const scenario of those) {
    await t.test(scenario.name, { skip: refusedByProxy(scenario.name) }, () => play(scenario, url, provider));
  }
};
