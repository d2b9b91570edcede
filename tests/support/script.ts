/** What the runs of many executions, people and time do, line by line. */
import fc from 'fast-check';

export type ScriptLine =
  | { readonly does: 'start' }
  | { readonly does: 'turn' }
  | { readonly does: 'passes'; readonly ms: number }
  | {
      readonly does: 'complete' | 'fail' | 'cancel' | 'emit' | 'note' | 'step' | 'stepEnds' | 'stepFails';
      readonly who: number;
    }
  | { readonly does: 'sleep'; readonly who: number; readonly ms: number }
  | {
      readonly does: 'prompt';
      readonly who: number;
      readonly timeoutS: number | undefined;
      readonly hasDefault: boolean;
    }
  | {
      readonly does: 'answer';
      readonly who: number;
      readonly which: number;
      readonly says: string;
      readonly key: string | undefined;
    };

const who = fc.nat(7);
const say = <Does extends ScriptLine['does']>(...does: Does[]) => fc.constantFrom(...does);
const line = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: say('start') }) },
  { weight: 8, arbitrary: fc.record({ does: say('turn') }) },
  { weight: 4, arbitrary: fc.record({ does: say('passes'), ms: fc.constantFrom(1, 999, 5_000, 60_000) }) },
  { weight: 3, arbitrary: fc.record({ does: say('complete', 'fail', 'cancel'), who }) },
  { weight: 2, arbitrary: fc.record({ does: say('emit', 'note'), who }) },
  { weight: 10, arbitrary: fc.record({ does: say('step', 'stepEnds', 'stepFails'), who }) },
  { weight: 3, arbitrary: fc.record({ does: say('sleep'), who, ms: fc.constantFrom(0, 1_000, 100_000) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      does: say('prompt'),
      who,
      timeoutS: fc.constantFrom(undefined, 1, 5),
      hasDefault: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      does: say('answer'),
      who,
      which: fc.nat(4),
      says: fc.constantFrom('yes', 'no', ' '),
      key: fc.constantFrom(undefined, 'k1', 'k2'),
    }),
  },
) as fc.Arbitrary<ScriptLine>;

export const script = fc.array(line, { maxLength: 60, size: 'max' });
