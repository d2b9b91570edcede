import { isLast } from '../../machines/fact-table.ts';
import type { JournalPage } from '../store/store.ts';
import type { Execution } from './execution.ts';
import { UnreadFacts } from './unread.ts';

type Read = (after: number) => Promise<JournalPage | undefined>;

/**
 * The journal of an execution, page by page as it is committed: from its beginning until the execution has settled, its
 * record is deleted, or the runtime has stopped and left it to the next process. A slow reader misses dropped output;
 * the next page reports it.
 */
export async function* follow(execution: Pick<Execution, 'watch'>, read: Read): AsyncGenerator<JournalPage, void> {
  const unread = new UnreadFacts();
  let seen = 0;
  let isSettled = false;
  let isGone = false;
  let wake = (): void => {};
  let news = new Promise<void>((resolve) => (wake = resolve));
  const unwatch = execution.watch(
    (entry) => {
      unread.add(entry);
      wake();
    },
    () => {
      isGone = true;
      wake();
    },
  );
  try {
    while (!isSettled) {
      const page = unread.after(seen) ?? (await read(seen));
      if (page === undefined) return;
      isSettled = page.entries.some(isLast);
      seen = page.entries.at(-1)?.seq ?? seen;
      if (page.entries.length > 0) yield page;
      else if (isGone) return;
      else {
        await news;
        news = new Promise((resolve) => (wake = resolve));
      }
    }
  } finally {
    unwatch();
  }
}
