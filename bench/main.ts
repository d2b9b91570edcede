/**
 * `npm run bench -- [benchmark ...] [flags]` runs each benchmark with its control in the same run, and prints ratios.
 * Absolute numbers depend on the machine and its load; compare them only within a run.
 */
import { type Row, table } from './support/table.ts';

const questions: Record<string, () => Promise<Row[]>> = {
  throughput: async () => (await import('./throughput.ts')).default(),
  streams: async () => (await import('./streams.ts')).default(),
  sockets: async () => (await import('./sockets.ts')).default(),
  cluster: async () => (await import('./cluster.ts')).default(),
  crash: async () => (await import('./crash.ts')).default(),
  durable: async () => (await import('./durable.ts')).default(),
  hibernated: async () => (await import('./hibernated.ts')).default(),
  hostile: async () => (await import('./hostile.ts')).default(),
  inspector: async () => (await import('./inspector.ts')).default(),
  mistakes: async () => (await import('./mistakes.ts')).default(),
  parked: async () => (await import('./parked.ts')).default(),
  programs: async () => (await import('./programs.ts')).default(),
};

const flags = process.argv.findIndex((argument) => argument.startsWith('--'));
const asked = process.argv.slice(2, flags < 0 ? undefined : flags);
const unknown = asked.filter((name) => !(name in questions));
if (unknown.length > 0) {
  process.stderr.write(`there is no benchmark ${unknown.join(', ')}; there are ${Object.keys(questions).join(', ')}\n`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(questions)) {
  process.stdout.write(`${name} ...\n`);
  process.stdout.write(`${table(await questions[name]!())}\n\n`);
}
