/** Chat completions as a workflow that speaks them sees them: the request, a completion, a chunk. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

const contentPart = z.looseObject({
  type: z.enum(['text', 'image_url', 'input_audio', 'file', 'refusal']),
  text: z.string().default(''),
});

export const chatMessage = z.looseObject({
  role: z.enum(['user', 'assistant', 'system', 'tool', 'developer', 'function']),
  content: z.union([z.string(), z.array(contentPart)]).nullable(),
});

export const chatRequest = z.looseObject({
  messages: z.array(chatMessage).min(1),
  model: z.string().nullish(),
});

export type ChatMessage = z.infer<typeof chatMessage>;
export type ChatRequest = z.infer<typeof chatRequest>;

/** The last message: its text, or the texts of its text parts. */
export const lastText = (messages: readonly ChatMessage[]): string => {
  const content = messages.at(-1)?.content ?? '';
  if (typeof content === 'string') return content;
  return content
    .filter(({ type }) => type === 'text')
    .map((part) => part.text)
    .join(' ');
};

const usageOf = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

export const usage = usageOf(3, 4);
export const smallUsage = usageOf(1, 1);

export const completion = (content: string, model: string, used: typeof usage) => ({
  id: randomUUID(),
  object: 'chat.completion',
  model,
  created: Math.floor(Date.now() / 1000),
  choices: [{ finish_reason: 'stop', index: 0, message: { content, role: 'assistant' } }],
  usage: used,
  system_fingerprint: null,
  service_tier: null,
});

export type Completion = ReturnType<typeof completion>;

type Delta = {
  content: string | null;
  toolArguments?: string;
  finishReason?: string | null;
  used?: typeof usage;
};

export const chunk = ({ content, toolArguments, finishReason = null, used }: Delta) => ({
  id: 'chunk-1',
  choices: [
    {
      finish_reason: finishReason,
      index: 0,
      delta: { content, role: null, tool_calls: toolArguments === undefined ? null : [toolCall(toolArguments)] },
    },
  ],
  created: 1_700_000_000,
  model: 'lab-model',
  object: 'chat.completion.chunk',
  system_fingerprint: null,
  service_tier: null,
  usage: used ?? null,
});

const toolCall = (toolArguments: string) => ({
  index: 0,
  id: 'call-1',
  type: 'function',
  function: { name: 'lab-tool', arguments: toolArguments },
});
