/** Hooks for live data: values that are requested again after changes, and the journal of one execution. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { RequestError } from '../../client/index.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import { api, isNewsOf, isShutOut, messageOf, news } from './state.ts';

export interface Live<T> {
  /** The newest value; undefined before the first. It stays while the server cannot be reached. */
  readonly value: T | undefined;
  /** The error of the last request. */
  readonly error: string | undefined;
}

/** A pause is this many times as long as the request before it. */
const PAUSE_FACTOR = 9;

/**
 * Requests a value when `key` changes and after changes. One request at a time. The pause after a request grows with
 * its duration, so a page uses a tenth of the server's time at most.
 */
export const useLive = <T>(ask: () => Promise<T>, key: string): Live<T> => {
  const [state, setState] = useState<Live<T>>({ value: undefined, error: undefined });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    let isAsking = false;
    let isOutdated = false;
    let isOver = false;
    const refresh = async (): Promise<void> => {
      isOutdated = true;
      if (isAsking) return;
      isAsking = true;
      while (isOutdated && !isOver) {
        isOutdated = false;
        const since = performance.now();
        try {
          const value = await latest.current();
          if (!isOver) setState({ value, error: undefined });
        } catch (error) {
          if (!isOver && !isShutOut(error)) setState(({ value }) => ({ value, error: messageOf(error) }));
        }
        if (isOutdated) await new Promise((resolve) => setTimeout(resolve, PAUSE_FACTOR * (performance.now() - since)));
      }
      isAsking = false;
    };
    const unsubscribe = news.subscribe(() => void refresh());
    return () => {
      isOver = true;
      unsubscribe();
    };
  }, [key]);
  return state;
};

export interface LiveJournal {
  readonly entries: readonly JournalEntry[];
  /** Entries up to this number may be missing. */
  readonly truncatedThrough: number;
  /** The server has no such execution, or has deleted it. */
  readonly isGone: boolean;
}

const nothing: LiveJournal = { entries: [], truncatedThrough: 0, isGone: false };

/** Reads new entries after changes. A stream for each tab would use up the browser's connections. */
export const useJournal = (id: string): LiveJournal => {
  const [journal, setJournal] = useState(nothing);
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const entries: JournalEntry[] = [];
    let truncatedThrough = 0;
    const show = (isGone = false): void => setJournal({ entries: [...entries], truncatedThrough, isGone });
    const read = async (): Promise<void> => {
      for (;;) {
        const after = entries.at(-1)?.seq ?? 0;
        const page = await api.facts(id, { after, signal });
        truncatedThrough = page.truncated_through ?? truncatedThrough;
        entries.push(...page.entries);
        if (page.entries.length === 0) return show();
      }
    };
    const refresh = oneAtATime(async () => {
      try {
        await read();
      } catch (error) {
        if (signal.aborted || isShutOut(error)) return;
        if (error instanceof RequestError && error.status === 404) show(true);
      }
    });
    setJournal(nothing);
    const unsubscribe = news.subscribe(() => {
      if (entries.length === 0 || isNewsOf(id)) refresh();
    });
    return () => {
      abort.abort();
      unsubscribe();
    };
  }, [id]);
  return journal;
};

/** Runs one call at a time, and one more if it was called meanwhile. */
const oneAtATime = (work: () => Promise<void>): (() => void) => {
  let isWorking = false;
  let isOutdated = false;
  return async () => {
    isOutdated = true;
    if (isWorking) return;
    isWorking = true;
    while (isOutdated) {
      isOutdated = false;
      await work();
    }
    isWorking = false;
  };
};
