/**
 * Measures the damage of hostile clients. They visit each route in each state, and reset, trickle, pipeline, do not
 * read, smuggle, nest, and lie, over HTTP and sockets, while other clients behave well. Nothing may end, hang or leak.
 *
 * npm run bench -- hostile --seconds 600 --store memory --seed 1 --adapter uws
 */
import { parseArgs } from 'node:util';
import { attack, type Damage } from './support/hostile/attack.ts';
import type { Measured, Store } from './support/hostile/target.ts';
import type { Row } from './support/table.ts';

const MB = 1024 * 1024;

const asked = () => {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000) * 1_000) },
      store: { type: 'string', default: 'memory,data' },
      adapter: { type: 'string' },
    },
  });
  return {
    ...values,
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    stores: values.store.split(',') as Store[],
  };
};

export default async (): Promise<Row[]> => {
  const { seconds, seed, stores, adapter } = asked();
  const rows: Row[] = [];
  for (const store of stores) {
    process.stdout.write(`  ${store}, ${seconds} s, seed ${seed}\n`);
    const damage = await attack({ store, adapter, seconds, seed });
    const wrong = [...damage.faults, ...damage.left];
    for (const fault of wrong) process.stdout.write(`  ${fault}\n`);
    if (wrong.length > 0) process.exitCode = 1;
    rows.push(...rowsOf(store, damage));
  }
  return rows;
};

const rowsOf = (
  store: Store,
  { visits, statuses, faults, left, slowestHealthMs, cycles, before, after }: Damage,
): Row[] => {
  const row = (what: string, ours: string | number, control = '', ratio = '', target = ''): Row => {
    return { what: `${store}: ${what}`, ours: String(ours), control, ratio, target };
  };
  const grown = (what: string, name: keyof Measured): Row => {
    const ratio = (after[name] / before[name]).toFixed(2);
    return row(what, `${Math.round(after[name] / MB)} MB`, `${Math.round(before[name] / MB)} MB`, ratio, '1.1');
  };
  const all = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  return [
    row('visits', visits),
    row('replies', all.join(', ')),
    row('faults', faults.length, '', '', '0'),
    row('kinds of things that are left', left.length, '', '', '0'),
    row('slowest /health', `${Math.round(slowestHealthMs)} ms`),
    row('cycles of other clients', cycles),
    grown('heap, before the attack and after', 'heapBytes'),
    grown('memory, before the attack and after', 'rssBytes'),
  ];
};
