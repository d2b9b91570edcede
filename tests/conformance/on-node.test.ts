/** The recorded traffic once more, on the adapter of node:http. */
process.env.FERMATA_ADAPTER = 'node';

await import('./conformance.test.ts');
