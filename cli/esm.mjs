/**
 * A workflow module is an ES module, also where no package.json says `"type": "module"`: otherwise tsx would take a
 * TypeScript file for CommonJS, and Node refuses to require what is just being imported.
 */
export const resolve = async (specifier, context, next) => {
  const found = await next(specifier, context);
  return found.format === 'commonjs' && /\.ts(\?|$)/.test(found.url) ? { ...found, format: 'module' } : found;
};
