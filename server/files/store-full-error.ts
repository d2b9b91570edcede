/** An object store has no room for what shall be written; a client is told 507. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}
