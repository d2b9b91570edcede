/** Waits whose length is another one each time. */

/** Turns of the event loop, or microtasks, that a hop takes at most. */
const LONGEST = 4;

let hops = 0;

/**
 * Stands for what a workflow waits for outside of `ctx`, such as a request or a file: some microtasks or some turns of the event
 * loop, and another number of them each time. So branches of a run overtake each other in one life and not in the next.
 */
export const hop = async (): Promise<void> => {
  hops += 1;
  const draw = Math.imul(hops, 2_654_435_761) >>> 16;
  for (let count = draw % LONGEST; count >= 0; count -= 1) {
    if (draw % 3 === 0) await null;
    else await new Promise(setImmediate);
  }
};
