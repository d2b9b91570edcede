/**
 * Real proxies in front of a server, as their packages come with Debian. Each runs the settings that docs/deploying.md shows, on a
 * free port and in a temporary directory.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './loopback.ts';
import { readPage } from './markdown.ts';

export interface RunningProxy {
  readonly url: string;
  /** What it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface ProxyKind {
  readonly name: string;
  /** Why it cannot run here; false if it can. */
  readonly missing: string | false;
  /** `change` edits the settings of the page, which listen on port 80 and lead to port 8000. */
  start(upstreamPort: number, change?: (settings: string) => string): Promise<RunningProxy>;
}

interface Program {
  readonly name: string;
  readonly path: string;
  /** Language of its block in the docs. */
  readonly language: string;
  /** The port in the block, as this program writes it. */
  readonly listens: readonly [written: RegExp, instead: (address: string) => string];
  /** The whole file, around the block of the page. */
  file(settings: string, directory: string): string;
  args(file: string): readonly string[];
}

const kindOf = (program: Program): ProxyKind => ({
  name: program.name,
  missing:
    spawnSync(program.path, ['-v']).error === undefined
      ? false
      : `${program.name} is not installed (apt-get install ${program.name})`,
  start: (upstreamPort, change = (settings) => settings) => start(program, upstreamPort, change),
});

export const nginx = kindOf({
  name: 'nginx',
  path: '/usr/sbin/nginx',
  language: 'nginx',
  listens: [/listen 80\b/, (address) => `listen ${address}`],
  file: (settings, directory) => `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
${settings}
}`,
  args: (file) => ['-c', file, '-e', 'stderr'],
});

export const haproxy = kindOf({
  name: 'haproxy',
  path: '/usr/sbin/haproxy',
  language: 'haproxy',
  listens: [/bind :80\b/, (address) => `bind ${address}`],
  file: (settings) => `global\n  log stderr format raw local0\n  maxconn 4000\n  nbthread 1\n${settings}`,
  args: (file) => ['-db', '-f', file],
});

export const caddy = kindOf({
  name: 'caddy',
  path: '/usr/bin/caddy',
  language: 'caddyfile',
  listens: [/^:80 \{/m, (address) => `http://${address} {\n  bind ${address.replace(/:\d+$/, '')}`],
  file: (settings) => `{\n  admin off\n  auto_https off\n}\n${settings}`,
  args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
});

const start = async (
  { path, language, listens, file, args, name }: Program,
  upstreamPort: number,
  change: (settings: string) => string,
): Promise<RunningProxy> => {
  const directory = await mkdtemp(join(tmpdir(), `fermata-${name}-`));
  const place = await freePlace();
  const address = place.join(':');
  const [written, instead] = listens;
  const settings = change(await settingsOf(language))
    .replace(written, instead(address))
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${upstreamPort}`);
  const configuration = join(directory, 'configuration');
  await writeFile(configuration, `${file(settings, directory).trimStart()}\n`);
  const child = spawn(path, args(configuration), {
    cwd: directory,
    env: { HOME: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  while (!(await isListening(...place))) {
    if (child.exitCode !== null)
      throw new Error(`${name} has ended: ${said}\n${await readFile(configuration, 'utf8')}`);
    await wait(10);
  }
  return { url: `http://${address}`, log: () => said, stop };
};

type Place = readonly [host: string, port: number];

/** Between the look for a free port and its use, others can take it, but hardly at this address. */
const freePlace = async (): Promise<Place> => {
  const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  return [host, await freePort(host)];
};

const isListening = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });

const settingsOf = async (language: string): Promise<string> => {
  const { blocks } = await readPage('docs/deploying.md');
  const block = blocks.find(({ info }) => info === language);
  if (block === undefined) throw new Error(`docs/deploying.md has no settings for ${language}`);
  return block.code;
};
