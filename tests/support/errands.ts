/** A module for `fermata serve` whose runs do as they are told. */
import { text, workflow } from 'fermata';
import { z } from 'zod';

export default workflow({
  name: 'errands',
  input: z.discriminatedUnion('do', [
    /** Gives what the URL has; executes until it answers. */
    z.object({ do: z.literal('fetch'), url: z.string() }),
    /** Gives what a person says. */
    z.object({ do: z.literal('ask') }),
    /** Fails, with what a person says in the message. */
    z.object({ do: z.literal('fail') }),
    z.object({ do: z.literal('authorize') }),
  ]),
  async run(input, ctx) {
    if (input.do === 'fetch') return (await fetch(input.url, { signal: ctx.signal })).text();
    if (input.do === 'authorize') return (await ctx.authorize('bank')).scopes.join(' ');
    const { text: said } = await ctx.prompt(text({ text: 'What?' }));
    if (input.do === 'fail') throw new Error(`somebody said ${said}`);
    return said;
  },
});
