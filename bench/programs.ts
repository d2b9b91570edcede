/**
 * How many random programs give the same answer in every life of their execution? Each is played without interruption,
 * hibernated at each wait, and with its process killed, stopped or without a store at random facts.
 *
 * `npm run bench -- programs`. Variables: BENCH_PROGRAMS for how many (default 20,000), BENCH_SEED for which.
 */
import fc from 'fast-check';
import { wrongIn } from '../tests/support/programs/check.ts';
import { cases, FAMILIES } from '../tests/support/programs/generate.ts';
import type { Row } from './support/table.ts';

const COUNT = Number(process.env.BENCH_PROGRAMS ?? 20_000);
const SEED = Number(process.env.BENCH_SEED ?? Date.now() % 2 ** 31);
const CHUNK = 500;

export default async (): Promise<Row[]> => {
  const began = performance.now();
  let [played, wrong] = [0, 0];
  for (let seed = SEED; played < COUNT; seed += 1) {
    const numRuns = Math.min(CHUNK, COUNT - played);
    const property = fc.asyncProperty(cases(new Set(FAMILIES)), async (given) => {
      const problems = await wrongIn(given);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    });
    const result = await fc.check(property, { numRuns, seed });
    played += numRuns;
    if (result.failed) {
      wrong += 1;
      const path = result.counterexamplePath ?? '';
      process.stdout.write(`seed ${seed}, path ${path}\n${JSON.stringify(result.counterexample?.[0])}\n`);
      process.stdout.write(`${String((result.errorInstance as Error | undefined)?.message).slice(0, 2_000)}\n`);
    } else process.stdout.write(`${played} of ${COUNT}\r`);
  }
  const seconds = (performance.now() - began) / 1000;
  return [
    {
      what: `random programs, from seed ${SEED} on`,
      ours: `${played} in ${seconds.toFixed(0)} s`,
      control: '',
      ratio: '',
      target: '',
    },
    { what: '  chunks with a wrong, stuck or doubled one', ours: String(wrong), control: '', ratio: '', target: '0' },
  ];
};
