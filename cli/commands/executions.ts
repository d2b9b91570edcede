/** `fermata executions`: looks after the stored executions of a server, running or not. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { allStored, Failure, openStoredData, STANDS, type Stand, type StoredData } from '../../runtime/index.ts';
import { parseDuration } from '../config/durations.ts';
import { readConfig } from '../config/read.ts';
import type { Host } from '../host.ts';
import { write } from '../output.ts';
import { CannotGoOn } from '../refusals.ts';
import { historyOf } from '../terminal/history.ts';
import { exportOf, jsonOf, tableOf } from '../terminal/stored.ts';
import { type RetryWanted, retry } from './retry.ts';
import { addSettings, type TypedSettings, typedSettings } from './settings.ts';

type Listed = {
  readonly status?: Stand;
  readonly workflow?: string;
  readonly owner?: string;
  readonly limit: number;
  readonly json?: true;
};

/** The selected command. */
type Wanted =
  | ({ readonly what: 'ls' } & Listed)
  | { readonly what: 'show'; readonly id: string }
  /** Undefined: all. */
  | { readonly what: 'export'; readonly ids: readonly string[] | undefined }
  | { readonly what: 'rm'; readonly ids: readonly string[]; readonly isForced: boolean }
  | { readonly what: 'rm'; readonly settledBeforeMs: number }
  | RetryWanted;

export type ExecutionsAsked = TypedSettings & { readonly run: 'executions'; readonly wanted: Wanted };

const settings = {
  '--data': 'The directory or database with the executions. Default: that of the configuration, else ./.fermata.',
};
/** URL of the server that has them. */
const whereabouts = {
  '--host': 'Name or address of the server. Default: that of the configuration, else localhost.',
  '--port': 'Port of the server. Default: that of the configuration, else 8000.',
  '--root-path': 'Prefix of its routes. Default: that of the configuration, else none.',
};

export const declareExecutions = (program: Command, asked: (what: ExecutionsAsked) => void): void => {
  const all = program
    .command('executions')
    .summary('look after stored executions')
    .description('Lists, shows, exports, retries and removes stored executions, with or without a running server.')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', moreHelp);
  const declare = (name: string, summary: string): Command => {
    const command = all.command(name).summary(summary);
    addSettings(command, settings);
    return command;
  };
  const ask = (command: Command, wanted: Wanted): void =>
    asked({ run: 'executions', wanted, ...typedSettings(command) });

  const ls = declare('ls', 'list executions, newest first')
    .description('Lists executions, newest first.')
    .addOption(new Option('--status <status>', 'only executions with this status').choices(STANDS))
    .option('--workflow <name>', 'only executions of this workflow')
    .option('--owner <user>', 'only executions of this user id')
    .option('--limit <number>', 'at most so many', count, 50)
    .option('--json', 'one JSON object per line');
  ls.action((listed: Listed) => ask(ls, { what: 'ls', ...listedOf(listed) }));

  const show = declare('show', 'show one execution: status, open prompts and journal')
    .description('Shows the status of an execution, its open prompts with the remaining time, and its journal.')
    .argument('<id>', 'its id');
  show.action((id: string) => ask(show, { what: 'show', id }));

  const exported = declare('export', 'write their journals as JSON')
    .description('Writes executions with their journals: one JSON object per line, without tokens and credentials.')
    .argument('[id...]', 'their ids')
    .option('--all', 'all of them');
  exported.action((ids: readonly string[], { all = false }: { readonly all?: boolean }) => {
    if (all === ids.length > 0) exported.error('error: give either ids or --all', { exitCode: 2 });
    ask(exported, { what: 'export', ids: all ? undefined : ids });
  });

  const again = all.command('retry').summary('retry blocked executions at their server');
  again
    .description(
      'Asks the server to retry blocked executions: with the newest version of their workflow, if their ' +
        'own version is not served. A server that starts retries those whose version it serves.',
    )
    .argument('<id...>', 'their ids')
    .option('--url <url>', 'URL of the server, with its root path (default: from the configuration)', httpUrl)
    .action((ids: readonly string[], { url }: { readonly url?: string }) =>
      asked({ run: 'executions', wanted: { what: 'retry', ids, url }, ...typedSettings(again) }),
    );
  addSettings(again, whereabouts);

  const rm = declare('rm', 'remove them')
    .description('Removes executions, with their journals and the names by which they were found.')
    .argument('[id...]', 'their ids')
    .option('--settled-before <duration>', 'executions that ended longer ago (P30D, 24:00:00 or seconds)', duration)
    .option('--force', 'also live ones; requires that no server has the directory')
    .addHelpText('after', rmHelp);
  rm.action((ids: readonly string[], { settledBefore, force: isForced = false }: Removed) => {
    if ((settledBefore === undefined) === (ids.length === 0)) {
      rm.error('error: give either ids or --settled-before', { exitCode: 2 });
    }
    ask(
      rm,
      settledBefore === undefined ? { what: 'rm', ids, isForced } : { what: 'rm', settledBeforeMs: settledBefore },
    );
  });
};

type Removed = { readonly settledBefore?: number; readonly force?: boolean };

/** Without the members that commander adds for the directory. */
const listedOf = ({ status, workflow, owner, limit, json }: Listed): Listed => ({
  ...(status && { status }),
  ...(workflow && { workflow }),
  ...(owner && { owner }),
  limit,
  ...(json && { json }),
});

const count = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected an integer of at least 1.');
};

const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('Expected a duration such as P30D, 24:00:00, or a number of seconds.');
};

const httpUrl = (text: string): string => {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('Expected an http or https URL, such as http://localhost:8000.');
};

const moreHelp = `
Put -- before an id that begins with a dash: fermata executions show -- -sXQ1f...

Exit codes: 0 success, 1 failure, 2 a mistake that you can correct.

Examples:
  fermata executions ls --status interaction_required
  fermata executions export --all > journals.jsonl
  fermata executions retry Xb3kWd9qLm2 --url http://localhost:8000
  fermata executions rm --settled-before P30D --data /var/lib/approvals`;

const rmHelp = `
A running server may still show a removed execution for a while, if it is in memory.`;

/** Executions that are read at a time. */
const BATCH = 500;

export const executions = async ({ wanted, file, flags }: ExecutionsAsked, host: Host): Promise<void> => {
  const config = readConfig({ file, env: host.env, flags });
  if (wanted.what === 'retry') return retry(wanted, config, host);
  const { data } = config;
  if (data === null) {
    const detail = 'This configuration keeps executions in memory. Name a directory or a database with --data.';
    throw new Failure('options_invalid', { detail });
  }
  const stored = await openStoredData(data);
  try {
    await perform(stored, wanted, host);
  } catch (cause) {
    throw isOfStore(cause) ? new CannotGoOn(`${stored.place}: ${cause.message}`, { cause }) : cause;
  } finally {
    await stored.close();
  }
};

/** The data is damaged, the database cannot be reached, or a server has held the write lock of the file for too long. */
const isOfStore = (cause: unknown): cause is Error =>
  cause instanceof Error &&
  'code' in cause &&
  /^(SQLITE_|execution_damaged$|store_unavailable$)/.test(String(cause.code));

const perform = async (stored: StoredData, wanted: Exclude<Wanted, RetryWanted>, { streams }: Host): Promise<void> => {
  const now = Date.now();
  switch (wanted.what) {
    case 'ls': {
      const { summaries, next } = await stored.list(wanted);
      const blocked = await stored.blockedAmong(summaries);
      if (wanted.json)
        await write(streams, linesOf(summaries.map((summary) => jsonOf(summary, blocked.get(summary.id)))));
      else if (summaries.length > 0) await write(streams, tableOf(summaries, now, blocked));
      if (next !== undefined) streams.stderr.write(`There are more than ${wanted.limit}: --limit shows them.\n`);
      return;
    }
    case 'show': {
      const summary = await stored.get(wanted.id);
      const journal = (await stored.journal(wanted.id)) ?? { entries: [], truncatedThrough: 0 };
      return write(streams, historyOf(summary, stored.standing(wanted.id, journal), journal, now));
    }
    case 'export': {
      const summaries =
        wanted.ids === undefined
          ? allStored(stored, BATCH)
          : await Promise.all(wanted.ids.map(async (id) => stored.get(id)));
      let damaged = 0;
      for await (const summary of summaries) {
        try {
          const journal = await stored.journal(summary.id);
          if (journal === undefined) continue;
          const { blocked } = stored.standing(summary.id, journal);
          await write(streams, linesOf([exportOf(summary, journal, blocked)]));
        } catch (cause) {
          if (!(cause instanceof Failure && cause.code === 'execution_damaged')) throw cause;
          streams.stderr.write(`${cause.message}\n`);
          damaged += 1;
        }
      }
      if (damaged > 0) throw new CannotGoOn(`${damaged} of them could not be exported; all others were.`);
      return;
    }
    case 'rm': {
      if ('ids' in wanted) await stored.remove(wanted.ids, wanted.isForced);
      const removed =
        'ids' in wanted ? wanted.ids.length : await stored.removeSettledBefore(now - wanted.settledBeforeMs);
      streams.stderr.write(`${removed} removed.\n`);
    }
  }
};

const linesOf = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
