/** What a command has of the process it runs in; `process` itself is one. */
export type Host = Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr'>;
