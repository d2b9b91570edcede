import type { Adapter } from '../adapter.ts';

export const nodeAdapter: Adapter = {
  name: 'node',
  create: () => {
    throw new Error('the node adapter is not written yet');
  },
};
