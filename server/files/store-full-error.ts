/** An object store has no room for a write. The reply is 507. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}
