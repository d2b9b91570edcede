/** What programs ask people, and what people answer: a function of the question, so that it is the same in each run. */
import {
  type Answer,
  binaryChoice,
  checkbox,
  dropdown,
  type Prompt,
  type Question,
  type Response,
  radio,
  text,
} from '../../../runtime/index.ts';
import type { Leaf } from './program.ts';

type Asked = Extract<Leaf, { do: 'prompt' }>;

/** Beyond what is ever waited for. */
const DAY_S = 24 * 3600;
/** Words in the text of a prompt that is not answered. */
const LATE = ' (late)';

const options = ['a', 'b', 'c'].map((id) => ({ id, label: id, value: `value ${id}` }));

export const questionFor = (asked: Asked, site: string, life: number): Question<Answer> => {
  const says = asked.says === 'shared' ? '' : asked.says === 'own' ? ` ${site}` : ` ${site} life ${life}`;
  const isLate = asked.deadline.startsWith('late');
  const given = {
    text: `Q${says}${isLate ? LATE : ''}`,
    timeoutS: asked.deadline === 'none' ? undefined : isLate ? 20 : DAY_S,
  };
  const isDefaulted = asked.deadline === 'late with default';
  switch (asked.kind) {
    case 'text':
      return text({ ...given, ...(isDefaulted && { default: 'by default' }) });
    case 'binary': {
      const [a, b] = options;
      return binaryChoice({ ...given, options: [a!, b!], ...(isDefaulted && { default: 'a' }) });
    }
    case 'checkbox':
      return checkbox({ ...given, options, ...(isDefaulted && { default: ['a', 'c'] }) });
    case 'radio':
      return radio({ ...given, options, ...(isDefaulted && { default: 'a' }) });
    case 'dropdown':
      return dropdown({ ...given, options, ...(isDefaulted && { default: 'a' }) });
  }
};

export const isAnswered = ({ text: asked }: Prompt): boolean => !asked.endsWith(LATE);

/** `count`: how many prompts with this text were answered before. */
export const responseTo = (prompt: Prompt, count: number): Response => {
  const { input_type: kind } = prompt;
  if (!('options' in prompt)) return { kind, text: `re ${prompt.text} ${count}` };
  const pick = prompt.options[(count + hashOf(prompt.text)) % prompt.options.length]!;
  return { kind, picks: [{ id: pick.id }] };
};

const hashOf = (words: string): number =>
  [...words].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 997, 7);

export const givenIn = (answer: Answer): unknown =>
  'text' in answer ? answer.text : 'values' in answer ? answer.values : answer.value;
