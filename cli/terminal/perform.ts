/** Performs one run from its start to an exit code. */
import { userInfo } from 'node:os';
import {
  type ExecutionView,
  metadataFromHttpRequest,
  RunTrace,
  type Runtime,
  type Workflow,
} from '../../runtime/index.ts';
import type { Streams } from '../host.ts';
import { write } from '../output.ts';
import { openInBrowser } from './browser.ts';
import { converse } from './conversation.ts';
import { givenAnswers } from './given-answers.ts';
import { Screen } from './screen.ts';

export interface Performance {
  readonly runtime: Runtime;
  readonly workflow: Workflow;
  readonly input: unknown;
  /** Answers that are used before the person is asked. */
  readonly answers: readonly string[];
  /** User id of the run; undefined: the user of the operating system. */
  readonly user: string | undefined;
  readonly streams: Streams;
}

const COMPLETED = 0;
const FAILED = 1;
/** The exit code of a process that SIGINT has ended. */
const CANCELLED = 130;

/** Resolves to the exit code. Rejects with `options_invalid` if a prompt gets no answer, after cancelling the run. */
export const perform = async (performance: Performance): Promise<number> => {
  const { runtime, workflow, input, streams, user = userInfo().username } = performance;
  const by = { userId: user };
  const screen = new Screen(streams);
  const isPersonThere = streams.stdin.isTTY && streams.stderr.isTTY;
  const person = isPersonThere ? (await import('./person.ts')).person(streams) : undefined;
  const answers = givenAnswers(performance.answers, person);
  const { trace, ...noRequest } = metadataFromHttpRequest({});
  const request = { ...noRequest, trace: new RunTrace(trace), interactive: true, streaming: false };
  const { execution } = await runtime.start({ ...request, workflow: workflow.name, input, by });

  const cancel = (): void => void runtime.cancel(execution.id, by).catch(() => {}); // it may have settled meanwhile
  const heed = onSignals(cancel);
  streams.stdout.on('error', cancel); // the reader of the output has closed the pipe
  try {
    const open = isPersonThere ? openInBrowser : () => {};
    await converse({ runtime, execution, by, screen, respond: answers.respond, open });
  } finally {
    heed.end();
    screen.clear();
  }
  if (answers.left > 0) screen.say(`${answers.left} of the given answers were not asked for.`);
  const exitCode = outcome(execution, screen);
  await write(streams, ''); // after all earlier output
  return streams.stdout.errored ? FAILED : exitCode;
};

const outcome = ({ context: { result, error } }: ExecutionView, screen: Screen): number => {
  if (error === null) {
    screen.result(result);
    return COMPLETED;
  }
  screen.say(error.code === 'cancelled' ? 'Cancelled.' : `Failed: ${error.message}`);
  return error.code === 'cancelled' ? CANCELLED : FAILED;
};

/** The first signal cancels the run and closes its resources. A second signal ends the process at once. */
const onSignals = (cancel: () => void): { end(): void } => {
  let isCancelled = false;
  const heed = (): void => {
    if (isCancelled) process.exit(CANCELLED);
    isCancelled = true;
    cancel();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, heed);
  return {
    end: () => {
      for (const signal of signals) process.off(signal, heed);
    },
  };
};
