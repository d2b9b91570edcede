/** Waits of varying length. */

/** Upper limit of event loop turns, or microtasks, for a hop. */
const LONGEST = 4;

let hops = 0;

/**
 * Stands in for a wait outside of `ctx`, such as a request or a file: some microtasks or turns of the event loop, and a
 * different number each time. Branches of a run then overtake each other in one replay and not in the next.
 */
export const hop = async (): Promise<void> => {
  hops += 1;
  const draw = Math.imul(hops, 2_654_435_761) >>> 16;
  for (let count = draw % LONGEST; count >= 0; count -= 1) {
    if (draw % 3 === 0) await null;
    else await new Promise(setImmediate);
  }
};
