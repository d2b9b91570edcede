/** What has to be true of a program that was played: of what people saw, beside what its run has got. */
import { isDeepStrictEqual } from 'node:util';
import type { JournalEntry } from '../../../machines/facts.ts';
import type { Played } from './played.ts';
import { type Program, traitsOf } from './program.ts';
import { givenIn } from './questions.ts';
import type { Seen } from './world.ts';

type Of<Type extends JournalEntry['type']> = Extract<JournalEntry, { type: Type }>;

const of = <Type extends JournalEntry['type']>(journal: readonly JournalEntry[], type: Type): Of<Type>[] =>
  journal.filter((entry): entry is Of<Type> => entry.type === type);

/** Of one run by itself. */
export const problemsOf = (program: Program, played: Played): string[] => {
  const { end, journal, result, problems, error } = played;
  const { isUnstable, isLoose, hasTwins } = traitsOf(program);
  const found = [...problems];
  if (end === 'stuck') found.push(`it neither goes on nor ends: ${journal.at(-1)?.type}`);
  if (end === 'blocked' && !isUnstable && !(isLoose && hasTwins)) {
    found.push(`it makes the same calls in each life, and is ${end}: ${error?.message ?? wordsOf(journal)}`);
  }
  if (journal.some(({ seq }, index) => seq !== index + 1)) found.push('numbers of the journal have gaps or repeat');
  found.push(...outputProblems(journal));
  if (end !== 'completed' || result === undefined) return found;
  for (const seen of result) found.push(...seenProblems(seen, journal));
  found.push(...orphans(played));
  return found;
};

const wordsOf = (journal: readonly JournalEntry[]): string =>
  JSON.stringify(journal.findLast(({ type }) => (type as string) === 'execution.blocked'));

/** Nothing that was streamed by a call is there twice; and it is what it was when it was emitted. */
const outputProblems = (journal: readonly JournalEntry[]): string[] => {
  const seen = new Set<string>();
  const restarted = new Set<string>();
  return journal.flatMap((entry) => {
    if ((entry.type as string) === 'output.restarted') restarted.add(String((entry as { name?: string }).name ?? ''));
    if (entry.type !== 'output.emitted') return [];
    const { of: site, done, time } = entry.value as { of: string; done: number; time?: number };
    if (site.endsWith(' inner')) return []; // a step that is done again says it again
    const key = `${site} ${done} ${time ?? ''}`;
    if (seen.has(key)) return [`output ${key} was streamed twice`];
    seen.add(key);
    return [];
  });
};

const seenProblems = (seen: Seen, journal: readonly JournalEntry[]): string[] => {
  const { site, did, asked, got } = seen;
  const wrong = (expected: unknown): string[] =>
    isDeepStrictEqual(plain(expected), plain(got))
      ? []
      : [
          `${did} ${site} (${asked ?? ''}) has ${JSON.stringify(got)} in the result; people know of ${JSON.stringify(plain(expected))}`,
        ];
  switch (did) {
    case 'prompt': {
      const requested = of(journal, 'interaction.requested');
      const keyed = requested.filter((entry) => (entry as { key?: string }).key === site);
      const asking = keyed.length > 0 ? keyed : requested.filter(({ prompt }) => prompt.text === asked);
      const answers = asking.map(({ id, fallback }) => {
        const answer = of(journal, 'interaction.answered').find((entry) => entry.id === id)?.answer ?? fallback;
        return answer && plain(givenIn(answer));
      });
      if (answers.some((answer) => isDeepStrictEqual(answer, plain(got)))) return [];
      return [
        `prompt ${site} has ${JSON.stringify(got)} in the result for ${JSON.stringify(asked)}; answers to that are ${JSON.stringify(answers)}`,
      ];
    }
    case 'step':
    case 'retry': {
      const calls = of(journal, 'step.started').flatMap(({ call, name }) => (name === asked ? [call] : []));
      const values = of(journal, 'step.completed').flatMap(({ call, value }) =>
        calls.includes(call) ? [value ?? 'nothing'] : [],
      );
      if (values.some((value) => isDeepStrictEqual(plain(value), plain(got)))) return [];
      return [
        `${did} ${site} (${asked}) has ${JSON.stringify(got)} in the result; its values are ${JSON.stringify(values)}`,
      ];
    }
    case 'now':
    case 'random':
      return of(journal, 'value.recorded').some(({ name, value }) => name === did && value === got)
        ? []
        : wrong('another value');
    case 'emit': {
      const emitted = of(journal, 'output.emitted').flatMap(({ value }) =>
        (value as { of?: string }).of === site ? [value] : [],
      );
      return wrong(emitted);
    }
    case 'span': {
      const events = of(journal, 'trace.emitted').flatMap(({ step }) => (step.name === `T ${site}` ? [step] : []));
      const told = events.map(({ input, output }) => input ?? output ?? 'a part');
      const expected = [{ of: site, done: 1 }, 'a part', { of: site, done: 2 }];
      return isDeepStrictEqual(plain(told), expected) ? [] : [`span ${site} is ${JSON.stringify(told)}`];
    }
    case 'notify': {
      const sent = of(journal, 'notification.sent').filter(({ prompt }) => prompt.text === asked).length;
      return sent === 1 ? [] : [`the notification ${site} was sent ${sent} times`];
    }
    default:
      return [];
  }
};

/** What people were asked, and the run that has completed knows nothing of. */
const orphans = ({ journal, made }: Played): string[] =>
  journal.flatMap((entry) => {
    const words =
      entry.type === 'interaction.requested' || entry.type === 'notification.sent'
        ? entry.prompt.text
        : entry.type === 'step.started'
          ? entry.name
          : '';
    const [, site, rest] = /^[QNS] (\d[\d.btw]*)(.*)$/.exec(words) ?? [];
    if (site === undefined || rest?.includes('inner') || rest?.includes('callback')) return [];
    return made.has(site) ? [] : [`${words} is in the journal, and the run that has completed has not made it`];
  });

/** Two runs of the same program. The first one had no cuts. */
export const differencesOf = (program: Program, first: Played, second: Played, isSamePace: boolean): string[] => {
  const { isUnstable, isReworded, isLoose, isParallel, isRaced, hasTwins } = traitsOf(program);
  if (isUnstable || isReworded || isRaced || first.end === 'stuck' || second.end === 'stuck') return [];
  if (first.end === 'cancelled' || second.end === 'cancelled') return [];
  if (isLoose && (hasTwins || second.end === 'blocked')) return [];
  if (first.end !== second.end)
    return [`it is ${second.end} (${second.error?.message ?? ''}), and ${first.end} without cuts`];
  const found: string[] = [];
  if (isSamePace || !hasTwins) {
    const [expected, came] = [first, second].map(({ result }) => JSON.stringify(result?.filter(isSure)));
    if (expected !== came) found.push(`its result is ${came}, and ${expected} without cuts`);
    if ((first.error === null) !== (second.error === null)) found.push('it fails in one of them only');
  }
  if (isSamePace) found.push(...journalDifferences(first.journal, second.journal, isLoose || isParallel));
  return found;
};

const isSure = ({ did }: Seen): boolean => did !== 'now' && did !== 'random';

const UNSEEN: ReadonlySet<string> = new Set([
  'slot.granted',
  'execution.recovered',
  'execution.parked',
  'execution.resumed',
]);

const journalDifferences = (
  first: readonly JournalEntry[],
  second: readonly JournalEntry[],
  isAnyOrder: boolean,
): string[] => {
  const [expected, came] = [first, second].map((journal) => {
    const words = journal.flatMap((entry) => (UNSEEN.has(entry.type) ? [] : [shown(entry)]));
    return isAnyOrder ? words.sort() : words;
  }) as [string[], string[]];
  const index = expected.findIndex((words, place) => words !== came[place]);
  if (index < 0 && came.length <= expected.length) return [];
  const place = index < 0 ? expected.length : index;
  return [`the journal has ${came[place]} where it has ${expected[place]} without cuts`];
};

const shown = (entry: JournalEntry): string => {
  switch (entry.type) {
    case 'interaction.requested':
    case 'notification.sent':
      return `${entry.type} ${entry.prompt.text}`;
    case 'interaction.answered':
      return `${entry.type} ${JSON.stringify(givenIn(entry.answer))}`;
    case 'step.started':
      return `${entry.type} ${entry.name}`;
    case 'step.completed':
      return `${entry.type} ${JSON.stringify(entry.value)}`;
    case 'output.emitted':
      return `${entry.type} ${JSON.stringify(entry.value)}`;
    case 'trace.emitted':
      return `${entry.type} ${entry.step.event} ${entry.step.name}`;
    default:
      return entry.type;
  }
};

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
