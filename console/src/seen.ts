/**
 * Streams stay open only while the page is visible. Browsers allow six connections per server for all tabs, and
 * background tabs would use those of the visible tab.
 */

/** A short look at another tab does not close the stream. */
const PATIENCE_MS = 10_000;

/**
 * Runs until it returns. A run that is stopped because the page is hidden starts again when the page is visible.
 * Rejects like the run.
 */
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
