/**
 * Checks random workflow programs for a different result in a replay, for hangs, and for repeated effects. See
 * `tests/support/programs`.
 *
 * `npm run bench -- programs [--count 20000] [--seed N] [--path P] [--only family,family] [--without family,family]`
 *
 * Each hundred programs have their own seed. A failure is shown with its seed and path; these and the same families
 * reproduce it.
 */
import { parseArgs } from 'node:util';
import { FAMILIES, type Family } from '../tests/support/programs/generate.ts';
import { firstWrong, reportOf, type Tally } from '../tests/support/programs/property.ts';
import type { Row } from './support/table.ts';

const PER_SEED = 100;

export default async (): Promise<Row[]> => {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      path: { type: 'string' },
      only: { type: 'string', default: FAMILIES.join() },
      without: { type: 'string', default: '' },
    },
  });
  const without = familiesIn(values.without);
  const families = new Set([...familiesIn(values.only)].filter((family) => !without.has(family)));
  const count = Number(values.count);
  const first = Number(values.seed);
  const tally: Tally = { programs: 0, runs: 0, lives: 0, blocked: 0 };
  const unexpected: unknown[] = [];
  const note = (error: unknown): void => void unexpected.push(error);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  let wrong = 0;
  process.stdout.write(`seed ${first}\n`);
  for (let done = 0; done < count; done += PER_SEED) {
    const seed = first + done / PER_SEED;
    const asked = { families, count: Math.min(PER_SEED, count - done), seed, path: values.path };
    const found = await firstWrong(asked, tally);
    for (const error of unexpected.splice(0)) {
      wrong += 1;
      process.stdout.write(`seed ${seed}: would have ended the process: ${String(error)}\n`);
    }
    if (found === undefined) continue;
    wrong += 1;
    process.stdout.write(`${reportOf(found)}\n\n`);
  }
  process.off('unhandledRejection', note).off('uncaughtException', note);
  const row = (what: string, ours: number, target: string): Row => ({
    what,
    ours: String(ours),
    control: '',
    ratio: '',
    target,
  });
  return [
    row('programs', tally.programs, ''),
    row('executions of them', tally.runs, ''),
    row('lives of these', tally.lives, ''),
    row('executions blocked', tally.blocked, ''),
    row('seeds with something wrong', wrong, '0'),
  ];
};

const familiesIn = (list: string): ReadonlySet<Family> => {
  const names = list === '' ? [] : list.split(',');
  const unknown = names.filter((name) => !FAMILIES.some((family) => family === name));
  if (unknown.length === 0) return new Set(names as Family[]);
  throw new Error(`No kind of program is called ${unknown.join(', ')}. There are: ${FAMILIES.join(', ')}.`);
};
