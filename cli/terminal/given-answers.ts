/** Answers from the command line: each prompt takes the next one. */
import { aboutPrompt, Failure, optionsOf, type Prompt, type Response, readAnswer } from '../../runtime/index.ts';
import { chosen, type Respondent } from './respondent.ts';

export interface GivenAnswers {
  readonly respond: Respondent;
  /** Answers that no prompt has taken yet. */
  readonly left: number;
}

/** After the last answer, prompts go to `next`. Without `next` the run cannot continue. */
export const givenAnswers = (texts: readonly string[], next?: Respondent): GivenAnswers => {
  let used = 0;
  return {
    respond: async (prompt, signal) => {
      if (aboutPrompt(prompt.input_type).takes === 'acknowledgement') return { kind: prompt.input_type };
      const text = texts[used];
      if (text !== undefined) {
        used += 1;
        return responseTo(prompt, text);
      }
      if (next !== undefined) return next(prompt, signal);
      throw unanswered(prompt, `there is no terminal to ask in. Run it in a terminal, or give ${howToAnswer(prompt)}`);
    },
    get left() {
      return texts.length - used;
    },
  };
};

/** A text unchanged; an option by id, value or label; several options with commas. Throws `options_invalid`. */
const responseTo = (prompt: Prompt, text: string): Response => {
  const { input_type: kind } = prompt;
  const isText = aboutPrompt(kind).takes === 'text';
  const response = isText ? { kind, text } : chosen(prompt, namesIn(prompt, text).map(idIn(prompt)));
  try {
    readAnswer(prompt, response);
    return response;
  } catch (thrown) {
    throw unanswered(prompt, `the answer ${JSON.stringify(text)} does not fit. ${Failure.from(thrown).message}`);
  }
};

const namesIn = ({ input_type }: Prompt, text: string): string[] => {
  if (aboutPrompt(input_type).takes !== 'many') return [text];
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
};

/** An unknown option is passed unchanged, so that `readAnswer` reports the valid ones. */
const idIn = (prompt: Prompt) => {
  const options = optionsOf(prompt);
  return (name: string): string => {
    const found =
      options.find(({ id }) => id === name) ??
      options.find(({ value }) => value === name || JSON.stringify(value) === name) ??
      options.find(({ label }) => label.toLowerCase() === name.toLowerCase());
    return found?.id ?? name;
  };
};

const unanswered = ({ text, input_type }: Prompt, why: string): Failure =>
  new Failure('options_invalid', { detail: `The run asks ${JSON.stringify(text)} (${input_type}), and ${why}` });

const howToAnswer = (prompt: Prompt): string => {
  const options = optionsOf(prompt).map(({ id, label }) => (label === id ? id : `${id} (${label})`));
  return options.length === 0 ? '--answer <text>' : `--answer with one of: ${options.join(', ')}`;
};
