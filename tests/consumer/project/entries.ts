/** What a TypeScript project says with each entry of the package, under the strictest flags. */
import { binaryChoice, Failure, SessionManager, TimeoutError, text, type Workflow, workflow } from 'fermata';
import { createClient, RequestError, type StreamEvent } from 'fermata/client';
import { createServer, type Server, type ServerOptions } from 'fermata/server';
import { testWorkflow } from 'fermata/testing';
import { z } from 'zod';

const options = [
  { id: 'yes', label: 'Approve', value: true },
  { id: 'no', label: 'Reject', value: false },
];

export const approval = workflow({
  name: 'approval',
  input: z.object({ amount: z.number() }),
  output: z.object({ approved: z.boolean(), reason: z.string() }),
  async run({ amount }, ctx) {
    const answer = await ctx.prompt(binaryChoice({ text: `Approve ${amount}?`, options, timeoutS: 60, default: 'no' }));
    const reason: string = (await ctx.prompt(text({ text: 'Why?' }))).text;
    const { rate } = await ctx.step('rate', async () => ({ rate: 1.5 }));
    ctx.log.info({ rate: rate.toFixed(1) }, 'decided');
    return { approved: answer.value === true, reason };
  },
});

export const serve = async (config: Partial<ServerOptions>): Promise<Server> => {
  const server = await createServer({ workflow: approval, config: { ...config, port: 0 } });
  console.log(server.url, server.port, server.runtime.now());
  return server;
};

export const inProcess = async (): Promise<unknown> => {
  await using manager = await SessionManager.create({ workflow: approval });
  const run = await manager.run(
    { amount: 3 },
    { userInputCallback: () => ({ kind: 'binary_choice', picks: [{ id: 'yes' }] }) },
  );
  return run.result();
};

export const follow = async (baseUrl: string, shown: (event: StreamEvent) => void): Promise<string> => {
  const client = createClient({ baseUrl });
  const { executionId } = await client.start({ amount: 3 });
  for await (const event of client.stream(executionId)) {
    if (event.type === 'interaction.requested') await client.answer(event.data, 'yes');
    shown(event);
  }
  return executionId;
};

export const whyNot = (error: unknown): string => {
  if (error instanceof Failure) return error.code;
  if (error instanceof RequestError) return String(error.status);
  return error instanceof TimeoutError ? 'late' : 'unknown';
};

export const verify = (subject: Workflow): void => testWorkflow(subject, { inputs: [{ amount: 1 }] });
