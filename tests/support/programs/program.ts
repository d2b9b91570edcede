/**
 * A workflow program as data: a tree that one workflow function interprets, and the schedule of what happens to it.
 * Fast-check makes both, and makes both smaller when a case fails.
 */

/** What a step gives back, or does instead. */
export type StepValue = 'object' | 'list' | 'text' | 'date' | 'nothing' | 'error';
/** A call that a step makes of `ctx` itself. */
export type InnerCall = 'emit' | 'span' | 'log' | 'now' | 'random' | 'notify' | 'step' | 'sleep' | 'prompt';

export type Leaf =
  | {
      readonly do: 'prompt';
      readonly kind: 'text' | 'binary' | 'radio' | 'dropdown' | 'checkbox';
      /** `own`: no other prompt has this text. `shared`: all of this kind say the same. `unstable`: another in each life. */
      readonly says: 'own' | 'shared' | 'unstable';
      /** It is identified by a key, so that its text may be unstable. */
      readonly keyed: boolean;
      /** `late`: it expires. `due`: it has a deadline and is answered. */
      readonly deadline: 'none' | 'due' | 'late' | 'late with default';
    }
  | {
      readonly do: 'step';
      readonly value: StepValue;
      readonly says: 'own' | 'shared' | 'unstable';
      /** Turns of the event loop that its work takes. */
      readonly turns: number;
      /** Values that it emits while it works. */
      readonly emits: number;
      readonly inner: InnerCall | 'none';
      /** The receiver changes its result. */
      readonly mutates: boolean;
    }
  /** A step that throws so many times, in a loop that tries again. */
  | { readonly do: 'retry'; readonly fails: number }
  | { readonly do: 'sleep'; readonly seconds: number }
  | { readonly do: 'now' | 'random' | 'notify' | 'observe' | 'authorize' }
  | { readonly do: 'span'; readonly mutates: boolean }
  | { readonly do: 'emit'; readonly times: number; readonly mutates: boolean }
  /** Microtasks. */
  | { readonly do: 'hops'; readonly count: number }
  /** Turns of the event loop, as a read of a file takes them. */
  | { readonly do: 'turns'; readonly count: number }
  /** A promise that the schedule resolves, as a request to another server is. */
  | { readonly do: 'outside' }
  /** Asks again whatever happens: `for (;;) { try { return await ctx.prompt(q) } catch {} }`. */
  | { readonly do: 'insist'; readonly on: 'prompt' | 'step' | 'sleep' }
  /** Calls `ctx` later, from a timer that nothing waits for. */
  | { readonly do: 'callback'; readonly turns: number; readonly call: 'emit' | 'now' | 'span' | 'prompt' };

export type Node =
  | Leaf
  | { readonly do: 'all'; readonly way: 'promises' | 'branches'; readonly of: readonly Node[] }
  | { readonly do: 'race'; readonly way: 'promises' | 'branches'; readonly of: readonly Node[] }
  | { readonly do: 'seq'; readonly way: 'await' | 'then'; readonly of: readonly Node[] }
  | { readonly do: 'loop'; readonly times: number; readonly of: Node }
  | { readonly do: 'try' | 'branch'; readonly of: Node }
  /** A prompt that is withdrawn when something else is done. */
  | { readonly do: 'withdraw'; readonly what: 'prompt' | 'sleep' | 'authorize'; readonly after: Node }
  /** Does one thing in one life and another thing in the next. */
  | { readonly do: 'choice'; readonly of: readonly [Node, Node] };

export interface Program {
  /** `transforms`: its input schema makes something else of the input, and would do so again. */
  readonly input: 'plain' | 'transforms';
  /** It is an async generator. */
  readonly yields: boolean;
  readonly body: readonly Node[];
}

export interface Schedule {
  /** Numbers that choose what happens next; they begin again at their end. */
  readonly choices: readonly number[];
  /** Turns of the event loop from the moment when a batch leaves until it is committed. */
  readonly commitTurns: number;
  /** Things that may happen within one commit. */
  readonly atOnce: number;
  /** The execution is cancelled after so many rounds. */
  readonly cancelAfter: number | undefined;
}

/**
 * When a life ends. `kill`: the process is lost once the journal has so many facts. `stop`: it shuts down then, in order.
 * `fail`: that commit fails. `refuse`: the store throws when that fact is appended.
 */
export interface Cut {
  readonly how: 'kill' | 'stop' | 'fail' | 'refuse';
  /** Per mille of the facts that the journal has without cuts. */
  readonly at: number;
  /** Turns of the event loop that pass before the process is lost. 0: before anything hears of the commit. */
  readonly turns: number;
}

export interface Case {
  readonly program: Program;
  readonly schedule: Schedule;
  /** Each list is one more run of the program. */
  readonly cuts: readonly (readonly Cut[])[];
}

const nodesOf = (program: Program): Node[] => program.body.flatMap(withChildren);

const withChildren = (node: Node): Node[] => [node, ...childrenOf(node).flatMap(withChildren)];

const childrenOf = (node: Node): readonly Node[] => {
  switch (node.do) {
    case 'all':
    case 'race':
    case 'seq':
    case 'choice':
      return node.of;
    case 'loop':
    case 'try':
    case 'branch':
      return [node.of];
    case 'withdraw':
      return [node.after];
    default:
      return [];
  }
};

/** What of a program a check has to know. */
export interface Traits {
  /** It does not make the same calls in each life. */
  readonly isUnstable: boolean;
  /** It asks in other words in each life, by the same key. */
  readonly isReworded: boolean;
  /** Its calls may come in another order in another life, for it waits for something that is none of `ctx`. */
  readonly isLoose: boolean;
  /** What it gives depends on what comes first. */
  readonly isRaced: boolean;
  /** Calls that cannot be told apart by their content. */
  readonly hasTwins: boolean;
  readonly asksForConsent: boolean;
  /** Branches work side by side: the end of a step of one may come before or after the next call of another. */
  readonly isParallel: boolean;
}

export const traitsOf = (program: Program): Traits => {
  const nodes = nodesOf(program);
  const isParallel = nodes.some((node) => node.do === 'all' || node.do === 'race' || node.do === 'withdraw');
  // V8 does not follow a chain of `then`: calls behind another wait might as well be parallel.
  const isChained = nodes.some((node) => node.do === 'seq' && node.way === 'then');
  return {
    isParallel,
    isUnstable: nodes.some(isUnstable),
    isReworded: nodes.some((node) => node.do === 'prompt' && node.says === 'unstable'),
    isLoose: nodes.some(
      ({ do: what }) => what === 'callback' || ((isParallel || isChained) && (what === 'turns' || what === 'outside')),
    ),
    isRaced: nodes.some(isRace),
    asksForConsent: nodes.some(
      (node) => node.do === 'authorize' || (node.do === 'withdraw' && node.what === 'authorize'),
    ),
    hasTwins: nodes.some(isTwin),
  };
};

const isUnstable = (node: Node): boolean =>
  node.do === 'choice' ||
  (node.do === 'prompt' && node.says === 'unstable' && !node.keyed) ||
  (node.do === 'step' && node.says === 'unstable');

/** What comes first decides there: also which of several errors a parallel call rejects with. */
const isRace = (node: Node): boolean => node.do === 'race' || node.do === 'withdraw' || node.do === 'callback';

/** A callback is a thread of its own, which V8 does not follow to the function: two of them cannot be told apart. */
const isTwin = (node: Node): boolean =>
  TWINS.has(node.do === 'callback' ? node.call : node.do) || ('says' in node && node.says === 'shared');

const TWINS: ReadonlySet<string> = new Set(['sleep', 'now', 'random', 'authorize', 'insist']);
