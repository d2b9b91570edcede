/**
 * What HTTP servers of ours promise, kept by `createHandler` in a server that others have written, but for what that server
 * decides: connections, framing and sockets.
 */
process.env.FERMATA_ADAPTER = 'web';

await import('../abuse.test.ts');
await import('../failures.test.ts');
await import('../hostile-clients.test.ts');
await import('../hostile.test.ts');
await import('../lifecycle.test.ts');
await import('../listen.test.ts');
await import('../paths.test.ts');
await import('../promises.test.ts');
await import('../refusals.test.ts');
await import('../streams.test.ts');
await import('../world.test.ts');
