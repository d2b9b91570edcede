/** The plays of a round, performed side by side: in one process up to where it is killed, in another to their end. */
import type { ExecutionEvent } from '../../../machines/facts.ts';
import { type Caller, type DurableStore, noRequest, type Runtime } from '../../../runtime/index.ts';
