/** A workflow that asks whatever its input lists, tells what it does, and gives the answers. */
import { type Answer, binaryChoice, checkbox, dropdown, radio, text, workflow } from '../../runtime/index.ts';

const options = [
  { id: 'a', label: 'Apple', value: 'apple', description: 'A fruit' },
  { id: 'b', label: 'Berry', value: 'berry' },
];
const yesOrNo = [
  { id: 'y', label: 'Yes', value: true },
  { id: 'n', label: 'No', value: false },
];

export const questions = {
  text: text({ text: 'Your name?', placeholder: 'Ada' }),
  binary_choice: binaryChoice({ text: 'Sure?', options: yesOrNo }),
  radio: radio({ text: 'Which?', options }),
  dropdown: dropdown({ text: 'Which of them?', options }),
  checkbox: checkbox({ text: 'Which ones?', options }),
  late: text({ text: 'Too late?', timeoutS: 1, error: 'That was too long.' }),
};

const said = (answer: Answer): unknown =>
  'text' in answer ? answer.text : 'values' in answer ? answer.values : answer.value;

export default workflow({
  name: 'kinds',
  async *run(asked: unknown, ctx) {
    if (asked === 'forever') {
      yield 'waiting';
      await ctx.sleep(3_600_000);
    }
    if (asked === 'fail') throw new Error('It was \u001b[31mnot\u001b[0m to be.');
    if (asked === 'nothing') return undefined;
    await ctx.notify('It begins.');
    yield 'one, ';
    yield 'two';
    yield { three: 3 };
    const answers: unknown[] = [];
    for (const kind of asked as (keyof typeof questions)[])
      answers.push(said(await ctx.prompt<Answer>(questions[kind])));
    return answers;
  },
});
