/** A workflow that is JavaScript already. */
import { text, workflow } from 'fermata';

export default workflow({
  name: 'greeting',
  run: async (_, ctx) => `Hello, ${(await ctx.prompt(text({ text: 'Your name?' }))).text}!`,
});
