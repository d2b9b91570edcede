import type { TestContext } from 'node:test';
import { SessionManager, type SessionManagerSetup, type Workflow, workflow } from '../../runtime/index.ts';
import { SimulatedClock } from './simulated-clock.ts';

/** A manager whose time passes when the test says so, and which ends with it. */
export const sessionManager = async <Output>(
  t: TestContext,
  served: Workflow<unknown, Output>,
  setup: Omit<SessionManagerSetup<Output>, 'workflow' | 'clock'> = {},
) => {
  const clock = new SimulatedClock();
  const manager = await SessionManager.create({ workflow: served, clock, ...setup });
  t.after(async () => {
    const stopped = manager.shutdown();
    clock.advance(5_000); // what executes is given that long
    await stopped;
  });
  return { manager, clock };
};

/** A shared workflow that does what it is told. */
export const echo = workflow({ name: 'echo', run: (input: unknown) => input });

/** A per-user workflow: what a user adds to their notebook stays there. `log` says what was built and disposed. */
export const notebook = () => {
  const log: string[] = [];
  const served = workflow({
    name: 'notebook',
    perUser: {
      build: (user, scope) => {
        log.push(`built for ${user}`);
        scope.defer(() => log.push(`disposed for ${user}`));
        return { notes: [] as unknown[] };
      },
    },
    run: (note: unknown, _ctx, { notes }) => {
      if (note !== undefined) notes.push(note);
      return [...notes];
    },
  });
  return { served, log };
};

/** Something that a test lets happen. */
export const gate = () => {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};
