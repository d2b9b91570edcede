/**
 * Does the server go on for everybody, whatever mistakes the author of a workflow makes? Clients start runs that make random
 * ones, and answer, cancel, stream and leave at random; meanwhile `/health` is asked every 20 ms.
 *
 * `npm run bench -- mistakes`; the variable BENCH_SECONDS says for how long (default 30), BENCH_SEED which mistakes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { names } from './support/mistaken.ts';
import { percentile, type Row } from './support/table.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 30);
const SEED = Number(process.env.BENCH_SEED ?? Date.now() % 1e9);
const CLIENTS = 8;

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** mulberry32 */
const randomOf = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export default async (): Promise<Row[]> => {
  const directory = mkdtempSync(join(tmpdir(), 'fermata-mistakes-'));
  const args = ['--import', 'tsx', at('../server/main.ts'), 'serve', at('support/mistaken.ts'), '--data', directory];
  const server = spawn(process.execPath, [...args, '--port', '0'], {
    env: { ...process.env, FERMATA_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let exited: string | undefined;
  server.on('exit', (code, signal) => {
    exited = String(code ?? signal);
  });
  const url = await urlOf(server.stdout, server.stderr);
  const random = randomOf(SEED);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const until = performance.now() + SECONDS * 1_000;
  const latencies: number[] = [];
  let [started, refused, lost] = [0, 0, 0];

  const probe = async (): Promise<void> => {
    while (performance.now() < until && exited === undefined) {
      const began = performance.now();
      const reply = await fetch(`${url}/health`).catch(() => undefined);
      if (reply?.status === 200) latencies.push(performance.now() - began);
      else lost += 1;
      await reply?.text();
      await later(20);
    }
  };

  const client = async (): Promise<void> => {
    while (performance.now() < until && exited === undefined) {
      const mistakes = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(names));
      const input = { mistakes, ends: pick(['return', 'wait'] as const) };
      const user = `user-${Math.floor(random() * 5)}`;
      const path = pick(['/v1/workflow', '/v1/workflow/stream', '/generate', '/generate/stream']);
      const headers = { 'content-type': 'application/json', cookie: `nat-session=${user}`, prefer: 'respond-async' };
      const abort = new AbortController();
      if (random() < 0.5) setTimeout(() => abort.abort(), random() * 200).unref();
      try {
        const body = JSON.stringify(input);
        const reply = await fetch(`${url}${path}`, { method: 'POST', headers, body, signal: abort.signal });
        started += 1;
        if (reply.status >= 400) refused += 1;
        const id = reply.headers.get('execution-id');
        if (random() < 0.7 && id !== null) {
          await later(random() * 50);
          await (await fetch(`${url}/executions/${id}`, { method: 'DELETE', headers })).text();
        }
        abort.abort();
        await reply.text().catch(() => {});
      } catch {}
    }
  };

  await Promise.all([probe(), ...Array.from({ length: CLIENTS }, client)]);
  const stopping = performance.now();
  if (exited === undefined) {
    server.kill('SIGTERM');
    await Promise.race([once(server, 'exit'), later(15_000, undefined, { ref: false })]);
  }
  const stoppedMs = performance.now() - stopping;
  if (exited === undefined) server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
  latencies.sort((a, b) => a - b);
  const ms = (share: number): string => `${percentile(latencies, share).toFixed(1)} ms`;
  const row = (what: string, ours: string, target: string): Row => ({ what, ours, control: '', ratio: '', target });
  return [
    row(`runs with mistakes in ${SECONDS} s, seed ${SEED}`, `${started}, ${refused} refused`, ''),
    row('/health answered', `${latencies.length} times, ${lost} not`, '0 not'),
    row('  median, p99, longest', `${ms(0.5)}, ${ms(0.99)}, ${ms(1)}`, 'longest < 100 ms'),
    row('exit', exited === '0' ? 'none before SIGTERM' : `with ${exited}`, 'none before SIGTERM'),
    row('SIGTERM until the end', `${stoppedMs.toFixed(0)} ms`, '< 10,000 ms'),
  ];
};

const urlOf = async (...streams: NodeJS.ReadableStream[]): Promise<string> => {
  const found = streams.map(async (stream) => {
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      const [, url] = /"url":"(http:[^"]+)"/.exec(text) ?? [];
      if (url !== undefined) {
        stream.resume();
        return url;
      }
    }
    return new Promise<never>(() => {});
  });
  return Promise.race(found);
};
