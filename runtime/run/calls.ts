/** Calls of `ctx` as facts: their kinds, their equality, and their ends. */
import { isDroppable, isInterchangeable as isInterchangeableFact } from '../../machines/fact-table.ts';
import type { CallPlace, JournalEntry } from '../../machines/facts.ts';
import { aboutPrompt } from '../../machines/prompt-table.ts';
import type { NewFact } from '../executions/execution.ts';

/** A fact of a call, without the place of the call. */
export type CallFact = Extract<NewFact, { call: number }>;
type CallEntry = Extract<JournalEntry, { call: number }>;
/** A call of the author. */
export type MadeCall = Exclude<CallFact, { type: 'step.completed' | 'step.failed' }>;
export type MadeEntry = Exclude<CallEntry, { type: 'step.completed' | 'step.failed' }>;
export type StepEnd = Extract<JournalEntry, { type: 'step.completed' | 'step.failed' }>;
/** Ends a pause because the run requested it. */
export type Withdrawal = Extract<JournalEntry, { type: `${string}.withdrawn` }>;

/** A fact that opens a pause. */
export type PauseFact = Extract<MadeCall, { id: string }>;

/** The place of a call, as far as its thread knows. */
export type Place = Omit<CallPlace, 'call'>;

export const isStepEnd = (entry: JournalEntry): entry is StepEnd =>
  entry.type === 'step.completed' || entry.type === 'step.failed';

export const isWithdrawal = (entry: JournalEntry): entry is Withdrawal => entry.type.endsWith('.withdrawn');

/** The call that a fact wakes: the id of the pause that it closes, or the number of the call that it ends. */
export const wakes = (entry: JournalEntry): string | number | undefined => {
  if ('id' in entry) return 'call' in entry ? undefined : entry.id; // a call opens a pause, and no call closes it
  if (isStepEnd(entry)) return entry.call;
  return entry.type === 'value.recorded' && entry.name === AUTHORIZE ? entry.call : undefined;
};

/** Name of the value that a call of `ctx.authorize` records. */
export const AUTHORIZE = 'authorize';

/** Whether its result may also be given to an equal call. */
export const isInterchangeable = (fact: MadeCall): boolean =>
  isInterchangeableFact(fact) || (fact.type === 'value.recorded' && fact.name === AUTHORIZE);

/**
 * Whether the next call of the thread refers to this one. It does not refer to calls that may be missing while the
 * journal has the next one: calls that can be dropped, and calls that read earlier results before they record a fact.
 */
export const isCountedOn = (fact: MadeCall): boolean =>
  !isDroppable(fact) && !(fact.type === 'value.recorded' && fact.name === AUTHORIZE);

/** The same for two equal calls: their operation, and the text that a person sees. */
export const signatureOf = (fact: MadeCall | MadeEntry): string => {
  switch (fact.type) {
    case 'step.started':
      return `step ${fact.name}`;
    case 'branch.started':
      return `branch ${fact.name}`;
    case 'value.recorded':
      return fact.name === AUTHORIZE ? `authorize ${providerOf(fact.value)}` : fact.name;
    case 'oauth.requested':
      return `authorize ${fact.provider}`;
    case 'interaction.requested': {
      if (fact.key !== undefined) return `prompt key ${fact.key}`;
      const { input_type, text } = fact.prompt;
      const members = aboutPrompt(input_type).identity.map((name) => (fact.prompt as never)[name] ?? null);
      return `prompt ${JSON.stringify([input_type, text, ...members])}`;
    }
    case 'sleep.started':
      return 'sleep';
    case 'notification.sent':
      return `notify ${fact.prompt.text}`;
    case 'output.emitted':
      return `emit ${JSON.stringify(fact.value)}`;
    case 'trace.emitted':
      return `trace ${fact.step.event} ${fact.step.name}`;
    case 'trace.identified':
      return `observe ${fact.traceId}`;
  }
};

const providerOf = (value: unknown): string => String((value as { provider?: unknown } | null)?.provider ?? '');

/** A call in the author's words. */
export const wordsOf = (fact: MadeCall | MadeEntry): string => {
  switch (fact.type) {
    case 'step.started':
      return `step ${JSON.stringify(fact.name)}`;
    case 'branch.started':
      return `branch ${JSON.stringify(fact.name)}`;
    case 'value.recorded':
      return fact.name === AUTHORIZE ? `authorize ${JSON.stringify(providerOf(fact.value))}` : fact.name;
    case 'interaction.requested': {
      const words = `prompt (${fact.prompt.input_type}) ${JSON.stringify(shortened(fact.prompt.text))}`;
      return fact.key === undefined ? words : `${words} with the key ${JSON.stringify(fact.key)}`;
    }
    case 'oauth.requested':
      return `authorize ${JSON.stringify(fact.provider)}`;
    case 'sleep.started':
      return 'sleep';
    case 'notification.sent':
      return `notify ${JSON.stringify(shortened(fact.prompt.text))}`;
    case 'output.emitted':
      return `emit ${shortened(JSON.stringify(fact.value) ?? 'nothing')}`;
    case 'trace.emitted':
      return `${fact.step.event} of span ${JSON.stringify(fact.step.name)}`;
    case 'trace.identified':
      return `observe ${JSON.stringify(fact.traceId)}`;
  }
};

const LONGEST = 200;
const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** Where a call was made, without what it asks for. */
export const placeOf = ({ call, after, branch, loose, fork }: CallPlace): CallPlace => ({
  call,
  ...(after !== undefined && { after }),
  ...(branch !== undefined && { branch }),
  ...(loose !== undefined && { loose }),
  ...(fork !== undefined && { fork }),
});
