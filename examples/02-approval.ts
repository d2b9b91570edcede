/** Asks a person to approve an expense. Without an answer within an hour, the expense is rejected. */
import { binaryChoice, workflow } from 'fermata';
import { z } from 'zod';

export default workflow({
  name: 'expense-approval',
  input: z.object({ amount: z.number().positive() }),
  output: z.object({ approved: z.boolean() }),
  async run({ amount }, ctx) {
    const answer = await ctx.prompt(
      binaryChoice({
        text: `Approve an expense of ${amount}?`,
        options: [
          { id: 'yes', label: 'Approve', value: true },
          { id: 'no', label: 'Reject', value: false },
        ],
        timeoutS: 3_600,
        default: 'no',
      }),
    );
    return { approved: answer.value === true };
  },
});
