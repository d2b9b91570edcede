/**
 * The properties of each type of fact. A new type does not compile without its row here. Code that treats several types
 * alike asks this table instead of listing them.
 */
import { type CallPlace, type Fact, type JournalEntry, LAST_DATE, type Pause } from './facts.ts';
import { wordsOfAnswer } from './prompt-table.ts';

export type FactType = Fact['type'];
export type FactOf<Type extends FactType> = Extract<JournalEntry, { type: Type }>;

/** Writes the values of a detail for a reader of the journal. */
export type Words = {
  /** Name of a step, by the number of its call. */
  step(call: number): string | undefined;
  user(id: string): string;
  /** Epoch milliseconds. */
  time(at: number): string;
};

type Row<Type extends FactType> = {
  /** The title, for people: in the console. */
  readonly title: string;
  /**
   * The streams that contain it. `nat`: streams for all callers, including clients of NAT, so both of NAT's translators
   * must handle it. `callers`: all streams of our own. `operators`: only those of operators.
   */
  readonly shownTo: 'nat' | 'callers' | 'operators';
  /** Whether it is a line in the log. */
  readonly isLogged: boolean;
  /** Details in a few words. */
  readonly detail?: (fact: FactOf<Type>, words: Words) => string | undefined;
  /** The value that it contains, of any size. */
  readonly value?: (fact: FactOf<Type>) => unknown;
  /** Default: neither. */
  readonly tone?: 'good' | 'bad' | 'asks';
  /** The pause that it closes. */
  readonly closes?: Pause['kind'];
  /** Whether it ends the execution. */
  readonly isLast?: true;
  /** Whether a full journal may drop it. */
  readonly isDroppable?: true;
  /** It contains an input, which has its own limit. */
  readonly isInput?: true;
  /** Its size depends on people, workflows and callers, so its memory is counted. */
  readonly isLarge?: true;
  /** A replay causes it again, so it is no progress. */
  readonly isRepeated?: true;
  /** Its call returns nothing. Any other call with the same arguments may take its place. */
  readonly isInterchangeable?: true;
  /** It changes the output that a subscriber must get. */
  readonly isOutput?: true;
  /** Members that could be used to act as the owner. Exports hide them. */
  readonly secrets?: readonly string[];
};

const stepName = ({ call }: { call: number }, { step }: Words): string | undefined => step(call);
const nameOf = ({ name }: { name: string }): string => name;

export const FACTS = {
  'execution.started': {
    title: 'Started',
    shownTo: 'callers',
    isLogged: true,
    isInput: true,
    detail: ({ owner }, { user }) => (owner === null ? undefined : `by ${user(owner)}`),
    value: ({ input }) => input,
  },
  'slot.granted': { title: 'Got a run slot', shownTo: 'operators', isLogged: false, isRepeated: true },
  'step.started': {
    title: 'Step began',
    shownTo: 'operators',
    isLogged: false,
    isRepeated: true,
    detail: nameOf,
  },
  'step.completed': {
    title: 'Step done',
    shownTo: 'operators',
    isLogged: false,
    isLarge: true,
    isOutput: true,
    detail: stepName,
    value: ({ value }) => value,
  },
  'step.failed': {
    title: 'Step failed',
    shownTo: 'operators',
    isLogged: false,
    isOutput: true,
    tone: 'bad',
    detail: ({ call, name, message }, { step }) => `${step(call) ?? name}: ${message}`,
  },
  'value.recorded': { title: 'Value recorded', shownTo: 'operators', isLogged: false, detail: nameOf },
  'branch.started': { title: 'Branch began', shownTo: 'operators', isLogged: false, detail: nameOf },
  'interaction.requested': {
    title: 'Asked',
    shownTo: 'nat',
    isLogged: true,
    tone: 'asks',
    detail: ({ prompt }) => prompt.text,
  },
  'interaction.answered': {
    title: 'Answered',
    shownTo: 'nat',
    isLogged: true,
    isLarge: true,
    tone: 'good',
    closes: 'interaction',
    secrets: ['key'],
    detail: ({ answer, by }, { user }) =>
      by === null ? wordsOfAnswer(answer) : `${wordsOfAnswer(answer)}, by ${user(by)}`,
  },
  'interaction.expired': {
    title: 'Not answered in time',
    shownTo: 'nat',
    isLogged: true,
    tone: 'bad',
    closes: 'interaction',
  },
  'interaction.withdrawn': { title: 'Prompt withdrawn', shownTo: 'nat', isLogged: false, closes: 'interaction' },
  'oauth.requested': {
    title: 'Asked for consent',
    shownTo: 'nat',
    isLogged: true,
    tone: 'asks',
    secrets: ['id', 'authUrl'],
    detail: ({ provider }) => provider,
  },
  'oauth.granted': {
    title: 'Consent granted',
    shownTo: 'callers',
    isLogged: true,
    tone: 'good',
    closes: 'oauth',
    secrets: ['id'],
  },
  'oauth.refused': {
    title: 'Consent refused',
    shownTo: 'callers',
    isLogged: true,
    tone: 'bad',
    closes: 'oauth',
    secrets: ['id'],
    detail: ({ reason }) => reason,
  },
  'oauth.expired': {
    title: 'No consent in time',
    shownTo: 'callers',
    isLogged: true,
    tone: 'bad',
    closes: 'oauth',
    secrets: ['id'],
  },
  'oauth.withdrawn': {
    title: 'Consent withdrawn',
    shownTo: 'callers',
    isLogged: false,
    closes: 'oauth',
    secrets: ['id'],
  },
  'sleep.started': {
    title: 'Went to sleep',
    shownTo: 'operators',
    isLogged: false,
    detail: ({ dueAt }, { time }) => `until ${time(Math.min(dueAt, LAST_DATE))}`,
  },
  'sleep.elapsed': { title: 'Woke up', shownTo: 'operators', isLogged: false, closes: 'sleep' },
  'sleep.withdrawn': { title: 'Sleep withdrawn', shownTo: 'operators', isLogged: false, closes: 'sleep' },
  'notification.sent': {
    title: 'Notified',
    shownTo: 'nat',
    isLogged: false,
    isInterchangeable: true,
    detail: ({ prompt }) => prompt.text,
  },
  'output.emitted': {
    title: 'Output',
    shownTo: 'nat',
    isLogged: false,
    isDroppable: true,
    isLarge: true,
    isInterchangeable: true,
    isOutput: true,
    value: ({ value }) => value,
  },
  'output.restarted': {
    title: 'Output begins anew',
    shownTo: 'nat',
    isLogged: false,
    isRepeated: true,
    isOutput: true,
    detail: ({ step: call }, { step }) => step(call),
  },
  'trace.emitted': {
    title: 'Trace',
    shownTo: 'nat',
    isLogged: false,
    isDroppable: true,
    isLarge: true,
    isInterchangeable: true,
    detail: ({ step }) => `${step.event} ${step.name}`,
  },
  'trace.identified': {
    title: 'Traced',
    shownTo: 'nat',
    isLogged: false,
    isInterchangeable: true,
    detail: ({ traceId }) => traceId,
  },
  'execution.parked': { title: 'Parked', shownTo: 'operators', isLogged: false },
  'execution.resumed': { title: 'Resumed', shownTo: 'operators', isLogged: false, isRepeated: true },
  'execution.recovered': { title: 'Recovered', shownTo: 'operators', isLogged: true, isRepeated: true },
  'execution.blocked': {
    title: 'Blocked',
    shownTo: 'callers',
    isLogged: false,
    isRepeated: true,
    tone: 'bad',
    detail: ({ expected, came }) => `expected ${expected}; came ${came}`,
  },
  'execution.unblocked': {
    title: 'Tries again',
    shownTo: 'callers',
    isLogged: false,
    isRepeated: true,
    detail: ({ version }) => version && `with version ${version}`,
  },
  'execution.continued': {
    title: 'Began anew',
    shownTo: 'operators',
    isLogged: false,
    isInput: true,
    isOutput: true,
    value: ({ input }) => input,
  },
  'execution.completed': {
    title: 'Completed',
    shownTo: 'nat',
    isLogged: true,
    isLast: true,
    isLarge: true,
    tone: 'good',
    value: ({ result }) => result,
  },
  'execution.failed': {
    title: 'Failed',
    shownTo: 'nat',
    isLogged: true,
    isLast: true,
    tone: 'bad',
    detail: ({ error }) => `${error.code}: ${error.message}`,
  },
  'retention.elapsed': { title: 'Retention elapsed', shownTo: 'operators', isLogged: true },
  'record.forgotten': { title: 'Forgotten', shownTo: 'operators', isLogged: false },
} as const satisfies { readonly [Type in FactType]: Row<Type> };

type Table = typeof FACTS;
type Flag = {
  [Key in keyof Row<FactType>]-?: NonNullable<Row<FactType>[Key]> extends boolean ? Key : never;
}[keyof Row<FactType>];
type TypeWith<Column extends string, Value> = {
  [Type in FactType]: Table[Type] extends { readonly [Key in Column]: Value } ? Type : never;
}[FactType];
/** The types of facts for which the table says so. */
type FactWith<Column extends Flag> = FactOf<TypeWith<Column, true>>;
/** Members that every fact has, or every call. */
export type FactFrame = 'type' | 'seq' | 'at' | keyof CallPlace;
export type FactForNat = FactOf<TypeWith<'shownTo', 'nat'>>;
export type FactForCallers = FactOf<TypeWith<'shownTo', 'nat' | 'callers'>>;

const rows: Readonly<Record<string, Row<FactType>>> = FACTS as never;
const typesOf = (is: (row: Row<FactType>) => boolean): ReadonlySet<string> =>
  new Set(Object.keys(rows).filter((type) => is(rows[type]!)));

const having = <Column extends Flag>(column: Column) => {
  const types = typesOf((row) => row[column] === true);
  return (fact: { readonly type: FactType }): fact is FactWith<Column> => types.has(fact.type);
};

export const isLogged = having('isLogged');
export const isLast = having('isLast');
export const isDroppable = having('isDroppable');
export const isInput = having('isInput');
export const isLarge = having('isLarge');
export const isRepeated = having('isRepeated');
export const isInterchangeable = having('isInterchangeable');
export const isOutput = having('isOutput');

const forNat = typesOf(({ shownTo }) => shownTo === 'nat');
export const isForNat = (fact: JournalEntry): fact is FactForNat => forNat.has(fact.type);
const forCallers = typesOf(({ shownTo }) => shownTo !== 'operators');
export const isForCallers = (fact: JournalEntry): fact is FactForCallers => forCallers.has(fact.type);

const closing = new Map(Object.entries(rows).map(([type, { closes }]) => [type, closes]));
/** The kind of pause that facts of this type close. */
export const closedBy = (type: FactType): Pause['kind'] | undefined => closing.get(type);

/** The details of a fact: words, and its value. */
export const aboutFact = (fact: JournalEntry, words: Words): { detail: string | undefined; value: unknown } => {
  const { detail, value } = rows[fact.type] as Row<FactType>;
  return { detail: detail?.(fact as never, words), value: value?.(fact as never) };
};

/** Names of the members that could be used to act as the owner. */
export const secretsOf = ({ type }: JournalEntry): readonly string[] => rows[type]?.secrets ?? [];
