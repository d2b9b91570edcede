/** Imported before everything else: a machine on which the package pg is not installed. */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

export const resolve = (name, context, next) => {
  if (name === 'pg') throw new Error("Cannot find package 'pg'");
  return next(name, context);
};
