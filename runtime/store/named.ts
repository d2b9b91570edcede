/** What a name stands for. */
export type Named = { readonly executionId: string; readonly fingerprint: string };
