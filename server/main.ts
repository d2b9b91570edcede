/** The process: what was typed is handed to its command, and what goes wrong is said. The only file that reads the environment. */
import { type Invocation, readCommandLine } from './command-line.ts';
import { graph } from './commands/graph.ts';
import { exit } from './commands/output.ts';
import { refusal } from './commands/refusals.ts';
import { serve } from './commands/serve.ts';

const perform = async (asked: Invocation): Promise<void> => {
  switch (asked.run) {
    case 'serve':
      return serve(asked, process);
    case 'graph':
      return graph(asked, process);
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
