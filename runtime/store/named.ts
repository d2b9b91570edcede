/** The execution behind a name. */
export type Named = { readonly executionId: string; readonly fingerprint: string };
