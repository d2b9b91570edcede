/** The execution that a path names, for callers who may see it. */
import { andThen, type Caller, type ExecutionView, type Runtime } from '../../runtime/index.ts';
import { refusal } from '../http/problem.ts';
import type { Call, Reply } from '../http/route.ts';
import { type Who, withCaller } from '../identity/caller.ts';

/** 404 for any other execution. Replies at once, if caller and execution are known at once. */
export const withExecution = <Body = never>(
  runtime: Pick<Runtime, 'get'>,
  who: Who,
  call: Call,
  reply: (execution: ExecutionView, by: Caller) => Reply<Body> | Promise<Reply<Body>>,
): Reply<Body> | Promise<Reply<Body>> =>
  withCaller(who(call), (by) => {
    const { executionId } = call.params;
    return andThen(runtime.get(executionId!, by), (execution) =>
      execution === undefined ? refusal(404, `Execution ${executionId} not found`) : reply(execution, by),
    );
  });
