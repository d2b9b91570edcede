/**
 * Streams last for as long as somebody looks at the page. Browsers allow six connections to a server, for all tabs together:
 * tabs in the background would take them from the one in front.
 */

/** A look at another tab is no reason to part. */
const PATIENCE_MS = 10_000;

/** Runs until it returns; what is cut off because nobody looks is run again when somebody does. Rejects as it does. */
export const whileSeen = async (run: (signal: AbortSignal) => Promise<void>): Promise<void> => {
  for (;;) {
    await seen();
    const unseen = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => unseen.abort(), PATIENCE_MS);
    };
    document.addEventListener('visibilitychange', look);
    try {
      return await run(unseen.signal);
    } catch (error) {
      if (!unseen.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    }
  }
};

const seen = (): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    look();
  });
