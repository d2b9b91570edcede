/**
 * The recorded traffic of NAT, played against our server: a lab server for each profile, profiles side by side, the scenarios
 * of one profile one after the other.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { ServerOptions } from '../../server/index.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { testedAdapter } from '../support/adapter.ts';
import { postgres } from '../support/postgres.ts';
import { behindProxy, refusedByProxy, settingsBehindProxy } from '../support/proxy-setup.ts';
import { roundRobin } from '../support/round-robin.ts';
import { play } from './player.ts';
import { startProvider } from './provider.ts';
import { readDeviations, readRecordings, type Scenario, scenarioOf } from './scenarios.ts';

const deviations = readDeviations();
const scenarios = readRecordings().map((recording) => scenarioOf(recording, deviations));
const serverCount = Number(process.env.FERMATA_TEST_SERVERS ?? 1);
/**
 * Shows what each of several servers has for itself: files in a directory, slots, resources of users and their counters, and how much
 * of a conversation a client without cursors has seen. And a redirect, which has no host behind a balancer.
 */
const isOfOneServer = (name: string): boolean =>
  serverCount > 1 &&
  /^(static|slots)\/|^per-user\/(counts|same-user|dropped|monitor)|^websocket\/reconnect$|^general\/trailing-slash$/.test(
    name,
  );
const profiles = new Set(scenarios.map(({ profile }) => profile));

test('clients of NAT see what they saw, or what we promised instead', { concurrency: true }, async (t) => {
  assert.ok(scenarios.length > 300, 'a run without scenarios shows nothing');
  t.diagnostic(`${scenarios.length} recorded scenarios`);

  const playProfile = (profile: string): Promise<void> => {
    const those = scenarios.filter((scenario) => scenario.profile === profile);
    return t.test(`profile ${profile}`, (within) => playAll(profile, those, within));
  };
  if (serverCount === 1) await Promise.all([...profiles].map(playProfile));
  else for (const profile of profiles) await playProfile(profile);
});

/** The address of a server, or of the balancer before several of them. */
const startServers = async (
  t: TestContext,
  profile: string,
  config: Partial<ServerOptions>,
  oauthTokenPort: number | undefined,
): Promise<string> => {
  const serve = async (data?: string): Promise<Lab> => {
    const shared = { data, dataSecret: 'a secret that all servers share', trustProxy: ['loopback'] } as const;
    const options = data === undefined ? config : { ...config, ...shared, data };
    const lab = await startLab(profile, { config: options, ...(oauthTokenPort !== undefined && { oauthTokenPort }) });
    t.after(() => lab.close());
    return lab;
  };
  if (serverCount === 1) {
    const { base: url, port } = await serve();
    return (await behindProxy(t, { url, port })).url;
  }
  const data = await (await postgres()).database();
  const ports: number[] = [];
  while (ports.length < serverCount) ports.push((await serve(data)).port);
  return roundRobin(t, ports);
};

const playAll = async (profile: string, those: readonly Scenario[], t: TestContext): Promise<void> => {
  const provider = profile === 'oauth' ? await startProvider() : undefined;
  t.after(() => provider?.close());
  const config = { host: '127.0.0.1', port: 0, adapter: testedAdapter(), ...settingsBehindProxy() };
  const url = await startServers(t, profile, config, provider?.port);
  for (const scenario of those) {
    const skip = isOfOneServer(scenario.name) ? 'each server has its own' : refusedByProxy(scenario.name);
    await t.test(scenario.name, { skip }, () => play(scenario, url, provider));
  }
};
