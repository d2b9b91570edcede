/** Required before everything else: a machine on which the package pg is not installed. */
const Module = require('node:module');

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => {
  if (name === 'pg') throw new Error(`Cannot find module '${name}'`);
  return resolve(name, ...rest);
};
