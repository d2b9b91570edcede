/**
 * The journal of an execution: every stored fact, as a page, or as a stream that continues while the execution is live.
 */

import type { JournalBody } from '../../client/wire.ts';
import { andThen, type JournalPage, publicFact, type Runtime } from '../../runtime/index.ts';
import { events } from '../http/about.ts';
import { eventFrame, type Translator } from '../http/event-frames.ts';
import { eventStream } from '../http/event-stream.ts';
import { json } from '../http/problems.ts';
import { countReader } from '../http/readers.ts';
import type { Reply, Route } from '../http/route.ts';
import type { App } from '../protocol.ts';
import { route } from '../wire/route.ts';
import { invalidQuery, position, unknown } from './about.ts';
import { journalBody } from './bodies.ts';
import { seenBy } from './execution-stream.ts';
import { withExecution } from './one.ts';

export const journalRoute = ({ runtime, who }: Pick<App, 'runtime' | 'who'>): Route =>
  route({
    method: 'GET',
    path: '/executions/:executionId/journal',
    reply: journalBody,
    about: {
      tag: 'executions',
      summary: 'The journal of an execution',
      description:
        'Every stored fact, with the input and the answers; times are epoch milliseconds. A client that accepts ' +
        '`text/event-stream` gets a live stream of events, with the number of the fact as `id`.',
      parameters: position,
      answers: {
        200: { description: 'The facts.', content: events },
        204: 'There are no more events.',
        404: unknown,
        422: invalidQuery,
      },
    },
    handle: (call) =>
      withExecution(runtime, who, call, (execution, by) => {
        const after = seenBy(call);
        const shown = by.isOperator ? wholeOf(runtime) : runtime;
        if (!call.headers.accept?.includes('text/event-stream')) {
          return andThen(shown.journal(execution, after), pageOf);
        }
        // HTML 9.2: 204 tells an EventSource, which reconnects after every end, that there are no more events.
        if (execution.isSettled && after >= execution.context.seq) return { status: 204 };
        countReader(runtime, execution, call);
        return eventStream({ runtime: shown, execution, translator: by.isOperator ? allFacts : publicFacts, after });
      }),
  });

/** Operators see the stack of a workflow's error. */
const wholeOf = (runtime: Runtime): Pick<Runtime, 'journal' | 'after'> => ({
  journal: (execution, after) => runtime.wholeJournal(execution, after),
  after: (ms, run) => runtime.after(ms, run),
});

const pageOf = (page: JournalPage | undefined): Reply<JournalBody> =>
  json(200, { entries: page?.entries ?? [], truncated_through: page?.truncatedThrough ?? null });

const allFacts: Translator = {
  frames: (entry) => `id: ${entry.seq}\n${eventFrame(entry.type, entry)}`,
  showsVoid: true,
  missed: (through) => eventFrame('truncated', { truncated_through: through }),
};

const publicFacts: Translator = { ...allFacts, frames: (entry) => allFacts.frames(publicFact(entry)) };
