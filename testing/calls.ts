/** Records where a workflow calls `ctx`, and which of these calls are open, for messages about a failing path. */
import type { Context, Step, Workflow } from '../runtime/index.ts';
import { remember } from './watchdog.ts';

export interface SeenCall {
  /** Such as `step "pay"`. */
  readonly words: string;
  /** The key of a prompt, or the idempotency key of a step. */
  key: string | undefined;
  /** File, line and column. */
  readonly where: string;
  isOver: boolean;
}

/** How many calls a message names. */
const MOST_NAMED = 4;
const WAITING: ReadonlySet<string> = new Set([
  'prompt',
  'step',
  'sleep',
  'authorize',
  'notify',
  'branch',
  'all',
  'race',
]);

export class Calls {
  /** Calls of the present replay of the run. */
  #seen: SeenCall[] = [];
  readonly #began: () => void;

  /** `began`: the function is called, for the first time or again. */
  constructor(began: () => void) {
    this.#began = began;
  }

  /** The same workflow, with recorded calls. */
  watched(workflow: Workflow): Workflow {
    return {
      ...workflow,
      run: (input, ctx, resources) => {
        this.#seen = [];
        this.#began();
        remember(this.last);
        return workflow.run(input, this.#context(ctx), resources);
      },
    };
  }

  /** The open calls that a run waits for. */
  get open(): string {
    const open = this.#seen.filter(({ isOver }) => !isOver);
    if (open.length > 0) return `Open are: ${open.slice(-MOST_NAMED).map(described).join('; ')}.`;
    return `No call of ctx is open: it waits for something else. ${this.last}`;
  }

  /** The last call. */
  get last(): string {
    const last = this.#seen.at(-1);
    return last === undefined ? 'It has made no call of ctx.' : `Its last call was ${described(last)}.`;
  }

  /** Where a call with these words was made, if it was. */
  whereOf(words: string): string {
    const seen = this.#seen.findLast((call) => words.includes(call.words) || call.words.includes(words));
    return seen === undefined ? '' : ` at ${seen.where}`;
  }

  #context(ctx: Context): Context {
    return new Proxy(ctx, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        if (!WAITING.has(String(property))) return value.bind(target);
        return (...given: unknown[]) => this.#made(String(property), given, (args) => value.apply(target, args));
      },
    });
  }

  #made(method: string, given: readonly unknown[], call: (given: readonly unknown[]) => unknown): unknown {
    const seen: SeenCall = { words: wordsOf(method, given), key: keyIn(given), where: whereHere(), isOver: false };
    this.#seen.push(seen);
    remember(this.last);
    const over = (): void => void (seen.isOver = true);
    const [name, work, ...more] = given;
    const withKey = (step: Step): unknown => {
      seen.key = step.idempotencyKey;
      return (work as (step: Step) => unknown)(step);
    };
    const result = call(method === 'step' && typeof work === 'function' ? [name, withKey, ...more] : given);
    if (result instanceof Promise) result.then(over, over);
    else over();
    return result;
  }
}

const described = ({ words, key, where }: SeenCall): string =>
  `${words}${key === undefined ? '' : ` (key ${key})`} at ${where}`;

const wordsOf = (method: string, [first]: readonly unknown[]): string => {
  const text = (first as { prompt?: { text?: unknown } } | undefined)?.prompt?.text ?? first;
  if (typeof text === 'string' || typeof text === 'number') return `${method} ${JSON.stringify(text)}`;
  const names = typeof text === 'object' && text !== null ? ` of ${Object.keys(text).join(', ')}` : '';
  return `${method}${names}`;
};

const keyIn = ([, options]: readonly unknown[]): string | undefined => {
  const { key } = (typeof options === 'object' && options !== null ? options : {}) as { key?: unknown };
  return typeof key === 'string' ? key : undefined;
};

/** The first place on the stack outside of this folder and the runtime. */
const whereHere = (): string => {
  const own = new URL('..', import.meta.url).pathname;
  const isOwn = (line: string): boolean =>
    line.includes('node:') || line.includes(`${own}testing/`) || line.includes(`${own}runtime/`);
  const lines = new Error().stack?.split('\n').slice(1) ?? [];
  const line = lines.find((each) => !isOwn(each)) ?? '';
  const place = /\(?(?:file:\/\/)?([^\s()]+:\d+:\d+)\)?$/.exec(line)?.[1] ?? 'an unknown place';
  return place.replace(`${process.cwd()}/`, '');
};
