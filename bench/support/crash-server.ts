/** The server that is killed: each effect of its workflow writes a line to a file that survives it. */
import { appendFileSync } from 'node:fs';
import { text, workflow } from '../../runtime/index.ts';
import { createServer } from '../../server/index.ts';

const [, , directory, ledger] = process.argv as [string, string, string, string];

const killed = workflow({
  name: 'killed',
  async run(_input: unknown, ctx) {
    const effect = async (name: string) => {
      await ctx.step(name, async (step) => {
        appendFileSync(ledger, `${ctx.executionId} ${name} begun\n`);
        for (let part = 0; part < 3; part += 1) {
          step.emit(`${name} ${part}`);
          await new Promise(setImmediate);
        }
        return name;
      });
      appendFileSync(ledger, `${ctx.executionId} ${name} ended\n`);
    };
    const asked = async (part: string) => {
      await effect(`before-${part}`);
      ctx.emit(part);
      const { text: said } = await ctx.prompt(text({ text: `The ${part}?` }));
      await effect(`after-${part}`);
      return said;
    };
    const first = await asked('first');
    const [second, third] = await Promise.all([asked('second'), asked('third')]);
    const { a, b } = await ctx.all({
      a: () => effect('same').then(() => 'a'),
      b: () => effect('other').then(() => 'b'),
    });
    await ctx.sleep(20);
    return [first, second, third, a, b];
  },
});

const server = await createServer({
  workflow: killed,
  config: {
    host: '127.0.0.1',
    port: 0,
    data: directory,
    runtime: { hibernateAfterMs: 50, maxRecoveries: 10_000, leaseMs: 3_000 },
  },
});
process.send?.({ port: server.port });
process.on('disconnect', () => process.exit());
