/** Workflows of an office: between them they ask all kinds of prompts, sleep, need a consent, fail, and keep users apart. */
import { z } from 'zod';
import {
  AuthorizationError,
  binaryChoice,
  checkbox,
  dropdown,
  notification,
  radio,
  text,
  workflow,
} from '../../../runtime/index.ts';

const expense = workflow({
  name: 'expense-approval',
  input: z.object({
    amount: z.number().positive().describe('In euros.'),
    purpose: z.string().min(3),
    category: z.enum(['travel', 'equipment', 'training']),
    urgent: z.boolean().default(false),
    costCentre: z.object({ code: z.string(), region: z.string().optional() }).optional(),
    tags: z.array(z.string()).optional(),
  }),
  async run({ amount, purpose }, ctx) {
    const rate = await ctx.step('look up exchange rate', async () => 1.08);
    const answer = await ctx.prompt(
      binaryChoice({
        text: `Approve €${amount.toFixed(2)} for “${purpose}”?`,
        options: [
          { id: 'yes', label: 'Approve', value: true },
          { id: 'no', label: 'Reject', value: false },
        ],
        timeoutS: 8 * 3600,
        default: 'no',
      }),
    );
    return { approved: answer.value, dollars: Math.round(amount * rate * 100) / 100 };
  },
});

const release = workflow({
  name: 'release-notes',
  input: z.object({ version: z.string() }),
  async run({ version }, ctx) {
    await ctx.prompt(notification({ text: `Drafting notes for ${version}.` }));
    const [headline, channels, tone, audience] = await Promise.all([
      ctx.prompt(text({ text: `What is the headline of ${version}?`, placeholder: 'One sentence', timeoutS: 5400 })),
      ctx.prompt(checkbox({ text: 'Where shall it be announced?', options: channelsOf })),
      ctx.prompt(radio({ text: 'Which tone?', options: tones, timeoutS: 1800 })),
      ctx.prompt(dropdown({ text: 'Who reads it?', options: audiences })),
    ]);
    return { version, headline: headline.text, channels: channels.values, tone: tone.value, audience: audience.value };
  },
});

const channelsOf = [
  { id: 'blog', label: 'Blog', value: 'blog', description: 'Published at once' },
  { id: 'mail', label: 'Newsletter', value: 'mail', description: '12,400 readers, on Thursday' },
  { id: 'chat', label: 'Community chat', value: 'chat' },
];
const tones = [
  { id: 'plain', label: 'Plain', value: 'plain', description: 'What has changed, and nothing else' },
  { id: 'warm', label: 'Warm', value: 'warm', description: 'With thanks to those who helped' },
];
const audiences = [
  { id: 'all', label: 'Everybody', value: 'all' },
  { id: 'admins', label: 'Administrators', value: 'admins' },
];

const calendar = workflow({
  name: 'calendar-sync',
  async run(_input, ctx) {
    try {
      const token = await ctx.authorize('calendar');
      return { events: 42, granted: token.value.length > 0 };
    } catch (error) {
      if (error instanceof AuthorizationError) return { events: 0, granted: false };
      throw error;
    }
  },
});

const report = workflow({
  name: 'nightly-report',
  input: z.object({ region: z.string() }),
  async run({ region }, ctx) {
    for (const piece of ['Revenue is up 4 % on last week. ', 'Refunds are flat. ', 'Two invoices are overdue.']) {
      ctx.emit(piece);
    }
    await ctx.sleep(region === 'nowhere' ? 1 : 90 * 60_000);
    throw new Error(`No figures for ${region}: the warehouse answered 503.`);
  },
});

/** Works for as long as it is let. */
const importer = workflow({
  name: 'invoice-import',
  input: z.object({ folder: z.string() }),
  run: (_input, ctx) =>
    new Promise<never>((_, reject) => {
      ctx.signal.addEventListener('abort', () => reject(new Error('The import was stopped.')));
    }),
});

const notebook = workflow({
  name: 'notebook',
  input: z.object({ note: z.string().min(1) }),
  perUser: { build: () => ({ notes: [] as string[] }) },
  run: ({ note }, _ctx, { notes }) => ({ notes: notes.push(note) }),
});

export const office = [expense, release, calendar, report, importer, notebook] as const;

/** Each of them at a path of its own, the first at `/v1/workflow`. */
export const endpoints = office.slice(1).map(({ name }) => ({
  functionName: name,
  method: 'POST' as const,
  path: `/v1/${name}`,
  legacyPath: null,
}));
