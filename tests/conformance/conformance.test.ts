/**
 * The recorded traffic of NAT, played against our server: a lab server for each profile, profiles side by side, the scenarios
 * of one profile one after the other.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { startLab } from '../lab/lab.ts';
import { actions, play } from './player.ts';
import { startProvider } from './provider.ts';
import { notYet, readDeviations, readRecordings, type Scenario, scenarioOf } from './scenarios.ts';

const deviations = readDeviations();
const scenarios = readRecordings().map((recording) => scenarioOf(recording, deviations));
const reasons = scenarios.map((scenario) => notYet(scenario, Object.keys(actions)));
const played = scenarios.filter((_, index) => reasons[index] === undefined);
const profiles = new Set(played.map(({ profile }) => profile));

test('clients of NAT see what they saw, or what we promised instead', { concurrency: true }, async (t) => {
  assert.ok(played.length > 0, 'a run without scenarios shows nothing');
  t.diagnostic(`${played.length} of ${scenarios.length} recorded scenarios are played`);
  for (const why of new Set(reasons)) {
    if (why) t.diagnostic(`${reasons.filter((reason) => reason === why).length} are left out: ${why}`);
  }

  await Promise.all(
    [...profiles].map((profile) => {
      const those = played.filter((scenario) => scenario.profile === profile);
      return t.test(`profile ${profile}`, (within) => playAll(profile, those, within));
    }),
  );
});

const playAll = async (profile: string, those: readonly Scenario[], t: TestContext): Promise<void> => {
  const provider = profile === 'oauth' ? await startProvider() : undefined;
  t.after(() => provider?.close());
  const lab = await startLab(profile, provider ? { oauthTokenPort: provider.port } : {});
  t.after(() => lab.close());
  for (const scenario of those) await t.test(scenario.name, () => play(scenario, lab.base, provider));
};
