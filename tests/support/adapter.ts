/** The adapter that servers of tests use: that of FERMATA_ADAPTER, else the default. */
import { type AdapterName, adapterNames } from '../../server/http/adapter.ts';

export const testedAdapter = (): AdapterName | undefined =>
  adapterNames.find((name) => name === process.env.FERMATA_ADAPTER);

export const isOnNode = (): boolean => testedAdapter() === 'node';
