/** Asks a person at the terminal. Only this file uses the prompt library; it is loaded if there is a terminal. */
import type { Readable, Writable } from 'node:stream';
import { isCancel, multiselect, select, text } from '@clack/prompts';
import { aboutPrompt, Failure, optionsOf, type Prompt, type Response, readAnswer } from '../../runtime/index.ts';
import { chosen, type Respondent } from './respondent.ts';
import { shown } from './screen.ts';

/** Number of options that are shown at once. */
const MAX_ITEMS = 12;

/** Asks on standard error, so that standard output contains only the output of the run. */
export const person = ({ stdin: input, stderr: output }: { stdin: Readable; stderr: Writable }): Respondent => {
  return async (prompt, signal) => {
    const common = { message: shown(prompt.text), input, output, signal };
    const options = optionsOf(prompt).map((offered) => {
      const option = { value: offered.id, label: shown(offered.label) || offered.id };
      return 'description' in offered && offered.description !== ''
        ? { ...option, hint: shown(offered.description) }
        : option;
    });
    switch (aboutPrompt(prompt.input_type).takes) {
      case 'acknowledgement':
        return { kind: prompt.input_type };
      case 'text': {
        const placeholder = shown(('placeholder' in prompt ? prompt.placeholder : null) ?? '');
        const answer = await text({ ...common, placeholder, validate: (typed = '') => whyNot(prompt, typed) });
        return isCancel(answer) ? null : { kind: prompt.input_type, text: answer ?? '' };
      }
      case 'many': {
        if (options.length === 0) return chosen(prompt, []);
        const ids = await multiselect({ ...common, options, maxItems: MAX_ITEMS, required: false });
        return isCancel(ids) ? null : chosen(prompt, ids);
      }
      case 'one': {
        if (options.length === 0) throw nothingToChoose(prompt);
        const id = await select({ ...common, options, maxItems: MAX_ITEMS });
        return isCancel(id) ? null : chosen(prompt, [id]);
      }
    }
  };
};

const whyNot = (prompt: Prompt, typed: string): string | undefined => {
  const response: Response = { kind: prompt.input_type, text: typed };
  try {
    readAnswer(prompt, response);
    return undefined;
  } catch (thrown) {
    return Failure.from(thrown).message;
  }
};

const nothingToChoose = ({ text }: Prompt): Failure =>
  new Failure('options_invalid', { detail: `The run asks ${JSON.stringify(text)}, and offers nothing to choose.` });
