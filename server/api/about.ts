/** What descriptions of several routes share. */
import { count, inHeader, inQuery, type Parameter, refused, refusedWithProblem } from '../http/about.ts';

export const unknown = refused('There is no such execution, or it is not yours.');
export const anonymous = refused('The request does not identify its caller.');
export const invalidQuery = refusedWithProblem('A parameter is invalid.');

/** Where a stream continues. */
export const position: readonly Parameter[] = [
  inQuery('after', 'Number of the last event that you have.', count(0)),
  inHeader('Last-Event-ID', 'The same, as an EventSource sends it.'),
];
