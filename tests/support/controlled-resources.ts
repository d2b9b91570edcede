/** A per-user workflow whose resources are opened and closed when a test says so, and what has become of them. */

import type { TestContext } from 'node:test';
import { type Failure, type RuntimeOptions, workflow } from '../../runtime/index.ts';
import { given, turns } from './given.ts';
import { engineOf } from './in-process.ts';

export class Resource {
  readonly user: string;
  state: 'opening' | 'open' | 'failed' | 'closing' | 'closed' = 'opening';
  /** Ends the opening: well, or with this error. */
  opened: (error?: Error) => void = () => {};
  /** Ends the closing. */
  closed: () => void = () => {};
  readonly #changed: (resource: Resource) => void;

  constructor(user: string, changed: (resource: Resource) => void) {
    this.user = user;
    this.#changed = changed;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.opened = (error) => {
        if (this.state !== 'opening') return;
        this.state = error === undefined ? 'open' : 'failed';
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#changed(this);
    });
  }

  close(): Promise<void> {
    this.state = 'closing';
    return new Promise((resolve) => {
      this.closed = () => {
        if (this.state !== 'closing') return;
        this.state = 'closed';
        resolve();
      };
      this.#changed(this);
    });
  }
}

const controlledResources = () => {
  const resources: Resource[] = [];
  let isLeft = false;
  const changed = (resource: Resource): void => {
    if (isLeft && resource.state === 'opening') resource.opened();
    if (isLeft && resource.state === 'closing') resource.closed();
  };
  const served = workflow({
    name: 'workshop',
    perUser: {
      build: async (user, scope) => {
        const resource = new Resource(user, changed);
        resources.push(resource);
        await resource.open();
        scope.defer(() => resource.close());
        return resource;
      },
    },
    run: (_input: unknown, _ctx, resource: Resource) => resource.state,
  });
  return {
    workflow: served,
    resources,
    /** The newest one of a user. */
    of: (user: string): Resource | undefined => resources.findLast((resource) => resource.user === user),
    /** From now on everything opens and closes by itself. */
    leave: (): void => {
      isLeft = true;
      resources.forEach(changed);
    },
  };
};

/** A runtime that serves a workshop, and closes whatever is open at the end of the test. */
export const givenControlledResources = async (t: TestContext, options: RuntimeOptions = {}) => {
  const { workflow: served, leave, ...shopped } = controlledResources();
  t.after(leave);
  const world = await given.runtime(t, { workflows: [served], options });
  const builders = engineOf(world.runtime).served.get('workshop');
  const lease = async (user: string) => {
    const claim = builders.lease(user);
    const told: (Failure | 'ready')[] = [];
    claim.whenReady((failure) => told.push(failure ?? 'ready'));
    await turns();
    return { claim, told };
  };
  /** A claim on resources that are open. */
  const opened = async (user: string) => {
    const leased = await lease(user);
    shopped.of(user)!.opened();
    await turns();
    return leased.claim;
  };
  return { ...world, ...shopped, leave, builders, lease, opened };
};
