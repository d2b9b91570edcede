/** What a process of a play sees of the disk. */
import type { Store } from '../../../runtime/index.ts';
import { type Disk, DiskStore, type Faults } from '../../../testing/disk.ts';

/** A store that is lost where the plan says so. */
export interface PlayedStore extends Store {
  readonly isBusy: boolean;
  /** It cannot be written at the moment. */
  isBroken: boolean;
  /** The process has ended: its requests never settle. */
  isClosed: boolean;
}

/** Opens what a process of a play sees of the disk. The disk has all facts that are stored. */
export type OpenPlayed = (disk: Disk, turns: number, faults: Faults) => PlayedStore | Promise<PlayedStore>;

export const onDisk: OpenPlayed = (disk, turns, faults) => new DiskStore(disk, turns, faults);
