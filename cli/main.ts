#!/usr/bin/env node
/** The process: passes the typed words to a command, and reports errors. The only file that reads the environment. */
import { type Invocation, readCommandLine } from './command-line.ts';
import { executions } from './commands/executions.ts';
import { graph } from './commands/graph.ts';
import { run } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import type { Host } from './host.ts';
import { exit } from './output.ts';
import { refusal } from './refusals.ts';

const host: Host = { env: process.env, streams: process };

const perform = async (asked: Invocation): Promise<void> => {
  switch (asked.run) {
    case 'serve':
      return serve(asked, host);
    case 'run':
      return run(asked, host);
    case 'graph':
      return graph(asked, host);
    case 'executions':
      return executions(asked, host);
    case 'print':
      (asked.exitCode === 0 ? process.stdout : process.stderr).write(asked.text);
      process.exitCode = asked.exitCode;
  }
};

perform(readCommandLine(process.argv.slice(2))).catch((thrown: unknown) => {
  const { said, exitCode } = refusal(thrown);
  process.stderr.write(`${said}\n`);
  exit(exitCode);
});
