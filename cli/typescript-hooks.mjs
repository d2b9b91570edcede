/** Resolves module names in the modules of a user, before tsx does. */

/** The package's own entry points, by name. */
let entries = {};

export const initialize = (data) => {
  entries = data;
};

/**
 * A workflow and the command that serves it share one copy of the package, wherever the module is. A workflow module is
 * an ES module, also without a package.json with `"type": "module"`. Otherwise tsx would treat a TypeScript file as
 * CommonJS, and Node refuses to require a module that is being imported.
 */
export const resolve = async (specifier, context, next) => {
  if (Object.hasOwn(entries, specifier)) return { url: entries[specifier], format: 'module', shortCircuit: true };
  const found = await next(specifier, context);
  return /\.tsx?(\?|$)/.test(found.url) ? { ...found, format: 'module' } : found;
};
