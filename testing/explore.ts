/** The paths of a workflow: everything that may happen at each wait, played from the beginning each time. */
import { isDeepStrictEqual } from 'node:util';
import type { Blocked, ExecutionContext } from '../machines/execution.ts';
import type { JournalEntry } from '../machines/facts.ts';
import { foldJournal } from '../runtime/journal/fold-journal.ts';
import { type Answers, choicesOf } from './choices.ts';
import { Play, type World } from './play.ts';

export interface Path {
  readonly input: unknown;
  /** Names of the choices. */
  readonly choices: readonly string[];
  /** Number of the fact after which its process is lost. */
  readonly crashAfter?: number | undefined;
}

/** What has come of a path. */
export interface Outcome extends Path {
  readonly status: 'completed' | 'failed' | 'waiting';
  readonly result: unknown;
  readonly error: ExecutionContext['error'];
  /** What was emitted and yielded. */
  readonly output: readonly unknown[];
  readonly journal: readonly JournalEntry[];
  /** What may happen next, where it has not ended. */
  readonly next: readonly string[];
  /** What was wrong about how it went. */
  readonly problems: readonly string[];
}

export const nameOf = ({ input, choices, crashAfter }: Path, journal?: readonly JournalEntry[]): string => {
  const crash =
    crashAfter === undefined ? [] : [`crash after ${crashAfter} ${journal?.[crashAfter - 1]?.type ?? ''}`.trim()];
  return [JSON.stringify(input) ?? 'no input', ...choices, ...crash].join(' > ');
};

export const playPath = async (world: World, path: Path, answers: Answers | undefined): Promise<Outcome> => {
  const play = await Play.start(world, path.input, path.crashAfter);
  try {
    for (const name of path.choices) {
      const choice = choicesOf(play, answers).find((possible) => possible.name === name);
      if (choice === undefined) {
        const possible = choicesOf(play, answers).map((each) => each.name);
        throw new Error(`${name} cannot happen here: ${said(play) ?? `what can is ${possible.join('; ')}`}`);
      }
      await choice.act(play);
      await play.quiet();
    }
    const { execution, entries } = play;
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
      output: entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.value] : [])),
      journal: entries,
      next,
      problems: [...problems, ...left],
    };
  } catch (thrown) {
    await play.end();
    throw thrown;
  }
};

/** Why it has ended, or does not go on, if it is so. */
const said = ({ execution }: Play): string | undefined => {
  const { error, blocked } = execution.context;
  if (blocked !== null) return blockedBy(blocked);
  return error === null ? undefined : `the execution has failed: ${error.message}`;
};

const blockedBy = ({ expected, came }: Blocked): string =>
  'It does not make the same calls when it is executed again, so it could not go on after a restart: ' +
  `its journal has ${expected}; now came ${came}. Put what may be different each time into ctx.step, ctx.now or ctx.random.`;

/** What must be so of every execution, whatever has happened to it. */
const problemsOf = ({ execution, entries }: Play): string[] => {
  const problems: string[] = [];
  const { context } = execution;
  if (context.blocked !== null) problems.push(blockedBy(context.blocked));
  if (context.error?.name === 'OutputInvalidError') problems.push(context.error.message);
  const ended = entries.flatMap((entry) => (entry.type === 'step.completed' ? [entry.call] : []));
  if (new Set(ended).size < ended.length) problems.push('A step that had ended was done again.');
  const emitted = entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.call] : []));
  if (new Set(emitted).size < emitted.length) problems.push('Output was repeated.');
  if (!isDeepStrictEqual({ ...foldJournal(context.executionId, entries).context }, { ...context })) {
    problems.push('Its journal does not lead to where it stands.');
  }
  return problems;
};
