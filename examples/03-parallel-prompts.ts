/** Asks two people at once. They answer in any order. While both prompts are open, the run holds no run slot. */
import { binaryChoice, radio, workflow } from 'fermata';
import { z } from 'zod';

export default workflow({
  name: 'publication',
  input: z.object({ title: z.string().min(1) }),
  output: z.object({ published: z.boolean(), channel: z.string().optional() }),
  async run({ title }, ctx) {
    const [legal, marketing] = await Promise.all([
      ctx.prompt(
        binaryChoice({
          text: `Legal: may we publish "${title}"?`,
          options: [
            { id: 'yes', label: 'We may', value: true },
            { id: 'no', label: 'We may not', value: false },
          ],
        }),
      ),
      ctx.prompt(
        radio({
          text: 'Marketing: where?',
          options: [
            { id: 'web', label: 'Website', value: 'website' },
            { id: 'mail', label: 'Newsletter', value: 'newsletter' },
          ],
        }),
      ),
    ]);
    return legal.value === true ? { published: true, channel: marketing.value } : { published: false };
  },
});
