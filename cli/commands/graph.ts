/** `fermata graph`: draws a machine. */
import { readFile } from 'node:fs/promises';
import { Argument, type Command, Option } from 'commander';
import type { AnyStateMachine } from 'xstate';
import { packageFile } from '../../server/package.ts';
import type { Host } from '../host.ts';
import { write } from '../output.ts';

const machines = {
  execution: async () => (await import('../../machines/execution.ts')).executionMachine,
  builder: async () => (await import('../../machines/builder.ts')).builderMachine,
  manager: async () => (await import('../../machines/manager.ts')).managerMachine,
} satisfies Record<string, () => Promise<AnyStateMachine>>;

const formats = {
  mermaid: async (machine: AnyStateMachine): Promise<string> => {
    const [{ graphOf }, { mermaidOf }] = await Promise.all([
      import('../../machines/drawing/graph.ts'),
      import('../../machines/drawing/mermaid.ts'),
    ]);
    return `${mermaidOf(graphOf(machine))}\n`;
  },
  json: async (machine: AnyStateMachine): Promise<string> => {
    const { statelyOf } = await import('../../machines/drawing/stately.ts');
    return `${JSON.stringify(statelyOf(machine), null, 2)}\n`;
  },
  /** A stored drawing: the layout engine is larger than the server. */
  svg: async (machine: AnyStateMachine): Promise<string> => {
    return readFile(packageFile(`docs/machines/${machine.id}.svg`), 'utf8');
  },
};

export interface GraphAsked {
  readonly run: 'graph';
  readonly machine: keyof typeof machines;
  readonly format: keyof typeof formats;
}

export const declareGraph = (program: Command, asked: (what: GraphAsked) => void): void => {
  program
    .command('graph')
    .summary('draw a machine')
    .description('Draws one of the statecharts of this version of Fermata.')
    .addArgument(
      new Argument('[machine]', 'the machine of a run, of its resources, or of the whole server')
        .choices(Object.keys(machines))
        .default('execution'),
    )
    .addOption(
      new Option('--format <format>', 'Mermaid for a README, JSON for the editor at stately.ai, or SVG')
        .choices(Object.keys(formats))
        .default('mermaid'),
    )
    .addHelpText('after', moreHelp)
    .action((machine: GraphAsked['machine'], { format }: Pick<GraphAsked, 'format'>) =>
      asked({ run: 'graph', machine, format }),
    );
};

const moreHelp = `
The JSON is a configuration of XState: import it as createMachine(...), with the JSON in the parentheses.

Example:
  fermata graph builder --format svg > builder.svg`;

export const graph = async ({ machine, format }: GraphAsked, { streams }: Host): Promise<void> =>
  write(streams, await formats[format](await machines[machine]()));
