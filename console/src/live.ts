/** Hooks for what is live: something that is asked for again at news, and the journal of one execution. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { RequestError } from '../../client/index.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import { api, isNewsOf, isShutOut, messageOf, news } from './state.ts';

export interface Live<T> {
  /** The newest that came; undefined before the first. It stays while the server cannot be reached. */
  readonly value: T | undefined;
  /** Why the last one did not come. */
  readonly error: string | undefined;
}

/** A busy server is not asked more than so many parts of the time that it takes to answer. */
const PATIENCE = 9;

/**
 * Asks when `key` changes and at news. One question at a time, and the next one only after a pause: the longer an answer
 * takes, the longer, so that however much happens, a page takes a tenth of the server's time at most.
 */
export const useLive = <T>(ask: () => Promise<T>, key: string): Live<T> => {
  const [state, setState] = useState<Live<T>>({ value: undefined, error: undefined });
  const question = useRef(ask);
  question.current = ask;
  useEffect(() => {
    let isAsking = false;
    let isDue = false;
    let isOver = false;
    const look = async (): Promise<void> => {
      isDue = true;
      if (isAsking) return;
      isAsking = true;
      while (isDue && !isOver) {
        isDue = false;
        const since = performance.now();
        try {
          const value = await question.current();
          if (!isOver) setState({ value, error: undefined });
        } catch (error) {
          if (!isOver && !isShutOut(error)) setState(({ value }) => ({ value, error: messageOf(error) }));
        }
        if (isDue) await new Promise((resolve) => setTimeout(resolve, PATIENCE * (performance.now() - since)));
      }
      isAsking = false;
    };
    const unsubscribe = news.subscribe(() => void look());
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
  /** The server does not know the execution, or not any more. */
  readonly isGone: boolean;
}

const nothing: LiveJournal = { entries: [], truncatedThrough: 0, isGone: false };

/** Reads what is new at news: a stream for each tab would take the few connections that a browser has. */
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
    const look = gathered(async () => {
      try {
        await read();
      } catch (error) {
        if (signal.aborted || isShutOut(error)) return;
        if (error instanceof RequestError && error.status === 404) show(true);
      }
    });
    setJournal(nothing);
    const unsubscribe = news.subscribe(() => {
      if (entries.length === 0 || isNewsOf(id)) look();
    });
    return () => {
      abort.abort();
      unsubscribe();
    };
  }, [id]);
  return journal;
};

/** One at a time, and once more if it was called meanwhile. */
const gathered = (work: () => Promise<void>): (() => void) => {
  let isWorking = false;
  let isDue = false;
  return async () => {
    isDue = true;
    if (isWorking) return;
    isWorking = true;
    while (isDue) {
      isDue = false;
      await work();
    }
    isWorking = false;
  };
};
