/** How names in the modules of a user are resolved, before tsx is asked. */

/** Of this package, by name. */
let entries = {};

export const initialize = (data) => {
  entries = data;
};

/**
 * A workflow and the command that serves it have one copy of the package, wherever its module is. And a workflow module is an
 * ES module, also where no package.json says `"type": "module"`: otherwise tsx would take a TypeScript file for CommonJS, and
 * Node refuses to require what is just being imported.
 */
export const resolve = async (specifier, context, next) => {
  if (Object.hasOwn(entries, specifier)) return { url: entries[specifier], format: 'module', shortCircuit: true };
  const found = await next(specifier, context);
  return /\.tsx?(\?|$)/.test(found.url) ? { ...found, format: 'module' } : found;
};
