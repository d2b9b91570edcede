/** The tests that every adapter passes. A file that imports them sets `FERMATA_ADAPTER` first. */
await import('./abuse.test.ts');
await import('./failures.test.ts');
await import('./hostile-clients.test.ts');
await import('./hostile.test.ts');
await import('./lifecycle.test.ts');
await import('./listen.test.ts');
await import('./paths.test.ts');
await import('./promises.test.ts');
await import('./refusals.test.ts');
await import('./smuggling.test.ts');
await import('./streams.test.ts');
await import('./world.test.ts');
