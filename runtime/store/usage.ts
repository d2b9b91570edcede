/** Describes what fills a journal, and which setting limits it, for authors and operators. */
import { isInput } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { JournalLimits } from './store.ts';

type Share = { count: number; bytes: number };

/** Inputs have their own limit. One sentence about the nearer limit, and one about its largest user. */
export const usageOf = (
  entries: readonly JournalEntry[],
  { maxJournalFacts, maxJournalBytes }: JournalLimits,
): string => {
  const shares = new Map<string, Share>();
  const steps = new Map<number, string>();
  let bytes = 0;
  for (const entry of entries) {
    if (entry.type === 'step.started') steps.set(entry.call, entry.name);
    const what = whatOf(entry, steps);
    const share = shares.get(what) ?? { count: 0, bytes: 0 };
    const length = isInput(entry) ? 0 : JSON.stringify(entry).length;
    shares.set(what, { count: share.count + 1, bytes: share.bytes + length });
    bytes += length;
  }
  const isMany = entries.length / maxJournalFacts > bytes / maxJournalBytes;
  const measure = isMany ? 'count' : 'bytes';
  const [most, share] = [...shares].sort(([, a], [, b]) => b[measure] - a[measure])[0] ?? [
    'nothing',
    { count: 0, bytes: 0 },
  ];
  const [all, limit, unit, setting] = isMany
    ? [entries.length, maxJournalFacts, 'facts', 'fermata.max_journal_facts']
    : [bytes, maxJournalBytes, 'bytes', 'fermata.max_journal_bytes'];
  return `Its journal has ${all} ${unit}, and ${setting} is ${limit}. Most of them are of ${most}: ${share[measure]}.`;
};

const whatOf = (entry: JournalEntry, steps: ReadonlyMap<number, string>): string => {
  if (isInput(entry)) return 'the input';
  if (entry.type === 'step.started' || entry.type === 'step.completed' || entry.type === 'step.failed')
    return `step ${JSON.stringify(steps.get(entry.call) ?? '')}`;
  if (entry.type === 'interaction.requested') return 'prompts';
  return entry.type === 'interaction.answered' ? 'answers' : entry.type;
};
