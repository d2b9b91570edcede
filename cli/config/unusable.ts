import { Failure } from '../../runtime/index.ts';

/** Maximum number of reported problems. */
const maxProblems = 50;

/** The refusal of a configuration: a Failure `options_invalid` with one line per problem. */
export const unusable = (problems: readonly (string | (() => string))[]): Failure => {
  const more = problems.length > maxProblems ? [`and ${problems.length - maxProblems} more`] : [];
  const shown = problems.slice(0, maxProblems).map((problem) => (typeof problem === 'string' ? problem : problem()));
  const lines = [...shown, ...more].map((line) => `  ${line}`);
  return new Failure('options_invalid', { detail: ['The configuration cannot be used:', ...lines].join('\n') });
};
