/** What it costs to make room for one more user: as much with a thousand open builders as with ten. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Builder } from '../../../runtime/builders/builder.ts';
import { workflow } from '../../../runtime/index.ts';
import { given, turns } from '../../support/given.ts';
import { engineOf } from '../../support/in-process.ts';

const USERS = 50;

/** How many builders are looked at while that many users come to a full house. */
const looksAt = async (t: TestContext, maxBuilders: number): Promise<number> => {
  const shop = workflow({ name: `shop ${maxBuilders}`, perUser: { build: () => null }, run: () => 'done' });
  const { runtime } = await given.runtime(t, { workflows: [shop], options: { maxBuilders } });
  const builders = engineOf(runtime).served.get(shop.name);
  const visit = async (user: string): Promise<void> => {
    const lease = builders.lease(user);
    await lease.ready();
    lease.cancel();
    await turns(2);
  };
  for (let user = 0; user < maxBuilders; user += 1) await visit(`first ${user}`);

  const isIdle = Object.getOwnPropertyDescriptor(Builder.prototype, 'isIdle')!;
  let looks = 0;
  Object.defineProperty(Builder.prototype, 'isIdle', {
    ...isIdle,
    get(this: Builder) {
      looks += 1;
      return isIdle.get!.call(this);
    },
  });
  try {
    for (let user = 0; user < USERS; user += 1) await visit(`later ${user}`);
  } finally {
    Object.defineProperty(Builder.prototype, 'isIdle', isIdle);
  }
  assert.equal(builders.list().length, maxBuilders);
  return looks;
};

test('making room for a user looks at as many builders, however many are open', async (t) => {
  const [few, many] = [await looksAt(t, 10), await looksAt(t, 300)];

  assert.ok(few >= USERS, 'the looks are counted');
  assert.ok(many <= few + USERS, `${few} looks with 10 builders, ${many} with 300`);
});
