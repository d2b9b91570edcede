/**
 * Streams last for as long as somebody looks at the page. Browsers allow six connections to a server, for all tabs together:
 * tabs in the background would take them from the one in front.
 */

/** A look at another tab is no reason to part. */
const PATIENCE_MS = 10_000;

/** Runs until it returns; what is cut off because nobody looks is run again when somebody does. Rejects as it does. */
export const whileSeen = async (run: (signal: AbortSignal) => Promise<void>, until?: AbortSignal): Promise<void> => {
  for (;;) {
    await seen(until);
    const unseen = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => unseen.abort(), PATIENCE_MS);
    };
    document.addEventListener('visibilitychange', look);
    try {
      return await run(until === undefined ? unseen.signal : AbortSignal.any([until, unseen.signal]));
    } catch (error) {
      if (!unseen.signal.aborted || until?.aborted) throw error;
    } finally {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    }
  }
};

const seen = (until: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      if (document.hidden && !until?.aborted) return;
      document.removeEventListener('visibilitychange', look);
      if (until?.aborted) reject(until.reason);
      else resolve();
    };
    document.addEventListener('visibilitychange', look);
    until?.addEventListener('abort', look);
    look();
  });
