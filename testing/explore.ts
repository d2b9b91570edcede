/** The paths of a workflow: all choices at each wait, each path run from the beginning. */
import { isDeepStrictEqual } from 'node:util';
import type { Blocked, ExecutionContext } from '../machines/execution.ts';
import type { JournalEntry } from '../machines/facts.ts';
import { foldJournal } from '../runtime/journal/fold-journal.ts';
import type { Calls } from './calls.ts';
import { type Answers, choicesOf } from './choices.ts';
import { type Cut, Play, type World } from './play.ts';

export interface Path {
  readonly input: unknown;
  /** Names of the choices. */
  readonly choices: readonly string[];
  /** The cut of the process or the disk. */
  readonly cut?: Cut | undefined;
}

/** The end of a path. */
export interface Outcome extends Path {
  readonly status: 'completed' | 'failed' | 'waiting';
  readonly result: unknown;
  readonly error: ExecutionContext['error'];
  /** Emitted and yielded values. */
  readonly output: readonly unknown[];
  readonly journal: readonly JournalEntry[];
  /** The possible next choices, if it has not ended. */
  readonly next: readonly string[];
  /** What was wrong on the path. */
  readonly problems: readonly string[];
  /** A deadline passed while the store failed, so the end may differ. */
  readonly isDelayed: boolean;
  /** The last call, and its place. */
  readonly lastCall: string;
}

export const nameOf = ({ input, choices, cut }: Path, journal?: readonly JournalEntry[]): string =>
  [JSON.stringify(input) ?? 'no input', ...choices, ...(cut === undefined ? [] : [nameOfCut(cut, journal)])].join(
    ' > ',
  );

const nameOfCut = (cut: Cut, journal: readonly JournalEntry[] = []): string => {
  if (cut.how === 'hibernated') return 'hibernated at each wait';
  const words = cut.how === 'killed' ? 'killed after' : 'store fails at';
  return `${words} ${cut.fact} ${journal[cut.fact - 1]?.type ?? ''}`.trim();
};

export const playPath = async (world: World, path: Path, answers: Answers | undefined): Promise<Outcome> => {
  const play = await Play.start(world, path.input, path.cut);
  try {
    for (const name of path.choices) {
      const choice = choicesOf(play, answers).find((possible) => possible.name === name);
      if (choice === undefined) {
        const possible = choicesOf(play, answers).map((each) => each.name);
        throw new Error(`${name} cannot happen here: ${said(play) ?? `what can is ${possible.join('; ')}`}`);
      }
      await play.perform(
        () => choice.act(play),
        () => choice.isDone(play),
      );
    }
    const { execution, entries, isDelayed } = play;
    const { result, error } = execution.context;
    const isOver = execution.isSettled;
    const next = isOver ? [] : choicesOf(play, answers).map(({ name }) => name);
    const problems = problemsOf(play);
    const left = await play.end();
    return {
      ...path,
      status: isOver ? (error === null ? 'completed' : 'failed') : 'waiting',
      result,
      error,
      output: outputOf(entries),
      journal: entries,
      next,
      problems: [...problems, ...left],
      isDelayed,
      lastCall: play.calls.last,
    };
  } catch (thrown) {
    await play.end();
    throw thrown;
  }
};

/** The output as readers have it: output of an interrupted step is void when the step runs again. */
const outputOf = (entries: readonly JournalEntry[]): unknown[] => {
  const said: { readonly step: number | undefined; readonly value: unknown }[] = [];
  for (const entry of entries) {
    if (entry.type === 'output.emitted') said.push({ step: entry.inStep, value: entry.value });
    if (entry.type === 'output.restarted')
      said.splice(0, said.length, ...said.filter(({ step }) => step !== entry.step));
  }
  return said.map(({ value }) => value);
};

/** Why it ended or stopped, if it did. */
const said = ({ execution, calls }: Play): string | undefined => {
  const { error, blocked } = execution.context;
  if (blocked !== null) return blockedBy(blocked, calls);
  return error === null ? undefined : `the execution has failed: ${error.message}`;
};

const blockedBy = ({ expected, came }: Blocked, calls: Calls): string =>
  'It does not make the same calls when it is executed again, so it could not continue after a restart (it is blocked): ' +
  `its journal has ${expected}; now came ${came}${calls.whereOf(came)}. ${calls.last} ` +
  'Put values that may differ between replays into ctx.step, ctx.now or ctx.random, and equal calls that may overtake each other into branches.';

/** Invariants of every execution. */
const problemsOf = ({ execution, entries, calls }: Play): string[] => {
  const problems: string[] = [];
  const { context } = execution;
  if (context.blocked !== null) problems.push(blockedBy(context.blocked, calls));
  if (context.error?.name === 'OutputInvalidError') problems.push(context.error.message);
  const ended = entries.flatMap((entry) => (entry.type === 'step.completed' ? [entry.call] : []));
  if (new Set(ended).size < ended.length) problems.push('A step that had finished ran again.');
  const emitted = entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.call] : []));
  if (new Set(emitted).size < emitted.length) problems.push('Output was repeated.');
  if (!isDeepStrictEqual(plain(foldJournal(context.executionId, entries).context), plain(context))) {
    problems.push('Its journal does not lead to its present state.');
  }
  return problems;
};

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
