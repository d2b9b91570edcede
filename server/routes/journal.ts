/** The journal of an execution: every fact as it was kept, as a page, or as a stream that goes on while it lives. */
import type { ExecutionView, JournalEntry, Runtime } from '../../runtime/index.ts';
import { aboutJournal } from '../openapi/about-overview.ts';
import { refusal } from '../problem.ts';
import { json } from '../problems.ts';
import type { JournalBody } from '../protocol.ts';
import { countReader } from '../readers.ts';
import type { Route } from '../route.ts';
import { eventFrame, eventStream, type Translator } from '../sse.ts';
import { type Who, withCaller } from '../who.ts';
import { seenBy } from './execution-stream.ts';

export const journalRoute = ({ runtime, who }: { runtime: Runtime; who: Who }): Route => ({
  method: 'GET',
  path: '/executions/:executionId/journal',
  about: aboutJournal,
  handle: (call) =>
    withCaller(who(call), (by) => {
      const { executionId } = call.params;
      const execution = runtime.get(executionId!, by);
      if (execution === undefined) return refusal(404, `Execution ${executionId} not found`);
      const after = seenBy(call);
      if (!call.headers.accept?.includes('text/event-stream')) return pageOf(runtime, execution, after);
      // HTML 9.2: 204 tells an EventSource, which comes back after every end, that there is nothing more to come.
      if (execution.isSettled && after >= execution.context.seq) return { status: 204 };
      countReader(runtime, execution, call);
      return eventStream({ runtime, execution, translator: facts, after });
    }),
});

const pageOf = (runtime: Runtime, execution: ExecutionView, after: number) => {
  const page = runtime.journal(execution, after);
  const body: JournalBody = { entries: page?.entries ?? [], truncated_through: page?.truncatedThrough ?? null };
  return json(200, body);
};

const facts: Translator = {
  frames: (entry: JournalEntry) => `id: ${entry.seq}\n${eventFrame(entry.type, entry)}`,
  showsVoid: true,
  missed: (through) => eventFrame('truncated', { truncated_through: through }),
};
