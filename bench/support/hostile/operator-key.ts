/** Hostile clients know this key too, so that they reach everything. */
export const OPERATOR_KEY = 'the key of the operators';
