/** Required before everything else: a machine for which there is no binding of uWebSockets.js. */
const Module = require('node:module');

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => {
  if (/^(@uwsjs\/|uWebSockets\.js$)/.test(name)) throw new Error(`Cannot find module '${name}'`);
  return resolve(name, ...rest);
};
