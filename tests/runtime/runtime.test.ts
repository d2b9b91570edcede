/** The contract of the runtime, over each store. */
import { createRuntime } from '../../runtime/index.ts';
import { type ContractWorld, runtimeContract } from '../contracts/runtime.ts';
import { DurableWorld } from '../support/durable.ts';
import { turns } from '../support/given.ts';
import { RemoteStore } from '../support/remote-store.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';

runtimeContract('in memory', async (t, workflows, options = {}): Promise<ContractWorld> => {
  const clock = new SimulatedClock();
  const runtime = await createRuntime({ workflows, options, clock });
  t.after(() => runtime.stop());
  return {
    runtime,
    pass: async (ms) => {
      await turns();
      clock.advance(ms);
      await turns();
    },
  };
});

runtimeContract('in a file', (t, workflows, options = {}) => DurableWorld.open(t, workflows, { options }));

runtimeContract('in a store that answers later', (t, workflows, options = {}) =>
  DurableWorld.open(t, workflows, { options, behind: (store) => new RemoteStore(store) }),
);
