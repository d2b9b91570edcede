/**
 * What HTTP servers of ours promise, kept by the adapter on node:http too. These files run by themselves on the default one;
 * `FERMATA_ADAPTER=node npm test` runs everything on this one.
 */
process.env.FERMATA_ADAPTER = 'node';

await import('../abuse.test.ts');
await import('../failures.test.ts');
await import('../hostile-clients.test.ts');
await import('../hostile.test.ts');
await import('../lifecycle.test.ts');
await import('../listen.test.ts');
await import('../paths.test.ts');
await import('../promises.test.ts');
await import('../refusals.test.ts');
await import('../smuggling.test.ts');
await import('../streams.test.ts');
await import('../world.test.ts');
await import('../../nat/websocket/faults.test.ts');
await import('../../nat/websocket/handshake.test.ts');
await import('../../nat/websocket/reconnect.test.ts');
await import('../../operator/inspector/sockets.test.ts');
