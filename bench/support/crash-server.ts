/** The server that is killed: a workflow whose every effect leaves a line behind, in a file that outlives it. */
import { appendFileSync } from 'node:fs';
import { text, workflow } from '../../runtime/index.ts';
import { createServer } from '../../server/index.ts';

const [, , directory, ledger] = process.argv as [string, string, string, string];

const killed = workflow({
  name: 'killed',
  async run(_input: unknown, ctx) {
    const effect = (name: string) =>
      ctx.step(name, async () => {
        appendFileSync(ledger, `${ctx.executionId} ${name}\n`);
        await new Promise(setImmediate);
        return name;
      });
    const given: string[] = [];
    for (const part of ['first', 'second']) {
      await effect(`before-${part}`);
      ctx.emit(part);
      given.push((await ctx.prompt(text({ text: `The ${part}?` }))).text);
      await effect(`after-${part}`);
    }
    await ctx.sleep(20);
    return given;
  },
});

const server = await createServer({
  workflow: killed,
  config: { host: '127.0.0.1', port: 0, data: directory, runtime: { hibernateAfterMs: 50, maxRecoveries: 10_000 } },
});
process.send?.({ port: server.port });
process.on('disconnect', () => process.exit());
