/**
 * A limited number of places, shared so that no caller takes all of them.
 *
 * H1  A caller may hold as many places as are free. One greedy caller then holds half of them, two hold two thirds, and
 *     another caller still finds a place.
 * H2  Unverified names are free to invent, so all callers at one address also count together: they may hold three times
 *     as many places as are free. Users behind one proxy count as one address.
 */
import { networkOf } from '../network-of.ts';

/** The caller that requests a place. */
export interface Claimant {
  /** Undefined without identity: the address is then the caller. */
  readonly user: string | undefined;
  /** Undefined if unknown, as in an embedding program. */
  readonly address?: string | undefined;
}

/** H2 */
const OF_ADDRESS = 3;

export class Shares {
  readonly #places: number;
  readonly #held = new Map<string, number>();
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  hasRoomFor(claimant: Claimant): boolean {
    const free = this.#places - this.#taken;
    const [caller, address] = keysOf(claimant);
    const isWithin = address === undefined || this.#heldBy(address) < OF_ADDRESS * free;
    return isWithin && this.#heldBy(caller) < free;
  }

  take(claimant: Claimant): void {
    this.#taken += 1;
    for (const key of keysOf(claimant)) this.#held.set(key, this.#heldBy(key) + 1);
  }

  give(claimant: Claimant): void {
    this.#taken -= 1;
    for (const key of keysOf(claimant)) {
      const left = this.#heldBy(key) - 1;
      if (left > 0) this.#held.set(key, left);
      else this.#held.delete(key);
    }
  }

  #heldBy(key: string): number {
    return this.#held.get(key) ?? 0;
  }
}

const keysOf = ({ user, address }: Claimant): readonly [caller: string, ...address: string[]] => {
  const network = address && networkOf(address);
  const caller = user === undefined ? `anonymous at ${network ?? ''}` : `user ${user}`;
  return network ? [caller, `address ${network}`] : [caller];
};
