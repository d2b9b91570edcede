/** Two agents work in parallel. Each asks for an approval. One report combines the approved parts. */
import { binaryChoice, type Context, workflow } from 'fermata';
import { z } from 'zod';

const approval = (topic: string) =>
  binaryChoice({
    text: `May the part about ${topic} go out?`,
    options: [
      { id: 'yes', label: 'Yes', value: true },
      { id: 'no', label: 'No', value: false },
    ],
  });

/** Stands in for a model. */
const write = async (topic: string): Promise<string> => `All about ${topic}.`;

const agent = async (ctx: Context, topic: string): Promise<string | undefined> => {
  const draft = await ctx.step(`write ${topic}`, () => write(topic));
  const { value: mayGoOut } = await ctx.prompt(approval(topic));
  return mayGoOut ? draft : undefined;
};

export default workflow({
  name: 'report',
  input: z.object({ topics: z.array(z.string()).min(1) }),
  run: async ({ topics }, ctx) => {
    const parts = await Promise.all(topics.map((topic) => agent(ctx, topic)));
    const report = parts.filter((part) => part !== undefined).join(' ');
    return ctx.step('send', () => ({ sent: report }));
  },
});
