/**
 * What HTTP servers of ours promise, kept by `createHandler` in a server that others have written, but for what that server
 * decides: connections, framing and sockets.
 */
process.env.FERMATA_ADAPTER = 'web';

await import('../contract.ts');
