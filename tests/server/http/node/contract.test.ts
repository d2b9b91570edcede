/**
 * What HTTP servers of ours promise, kept by the adapter on node:http too. These files run by themselves on the default one;
 * `FERMATA_ADAPTER=node npm test` runs everything on this one.
 */
process.env.FERMATA_ADAPTER = 'node';

await import('../contract.ts');
await import('../smuggling.test.ts');
await import('../../nat/websocket/faults.test.ts');
await import('../../nat/websocket/handshake.test.ts');
await import('../../nat/websocket/reconnect.test.ts');
await import('../../operator/inspector/sockets.test.ts');
