/** A workflow as authors write it, with syntax that Node alone does not know. */
import { text, workflow } from 'fermata';
import { z } from 'zod';

enum Tone {
  Warm = 'Hello',
}

export default workflow({
  name: 'greeting',
  input: z.object({ tone: z.enum(Tone).default(Tone.Warm) }).optional(),
  run: async (input, ctx): Promise<string> =>
    `${input?.tone ?? Tone.Warm}, ${(await ctx.prompt(text({ text: 'Your name?' }))).text}!`,
});
